package invoker

import (
	"archive/zip"
	"bytes"
	"encoding/base64"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
)

const (
	block        = 4 << 10 // bytes of a disk that a file takes at least
	mostUnpacked = 4 << 30 // bytes that the action proxy unpacks at most
)

// Room sets bytes of this machine's disk aside for what a worker is about to write, until release is called. Nil has room
// for everything.
type Room func(bytes int64) (release func(), err error)

// reserve sets aside what the code of a new worker takes.
func (r Room) reserve(binary bool, code string) (release func(), err error) {
	if r == nil {
		return func() {}, nil
	}
	size := unpacked(binary, code)
	release, err = r(size)
	if err != nil {
		return nil, fault.New(fault.Failed,
			i18n.M("The action's code needs {{.MB}} MB of disk space, which would leave too little free space.", "MB", size>>20),
			i18n.M("Free up space on the disk of the local endpoint's directory, or make the archive smaller.")).Because(err)
	}
	return release, nil
}

// unpacked is how many bytes of a disk the code takes at most. What an archive says of its files is true: the proxy unpacks
// no more of each.
func unpacked(binary bool, code string) int64 {
	if !binary {
		return 2 * int64(len(code)+block) // kept under two names
	}
	data, err := base64.StdEncoding.DecodeString(code)
	if err != nil {
		return mostUnpacked
	}
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return mostUnpacked
	}
	var sum uint64
	for _, f := range archive.File {
		sum += min(f.UncompressedSize64, mostUnpacked) + block
		if f.Name == "__main__.py" {
			sum += min(f.UncompressedSize64, mostUnpacked) + block
		}
	}
	return int64(min(sum, mostUnpacked)) // beyond that the proxy refuses it
}
