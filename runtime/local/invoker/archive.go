package invoker

import (
	"archive/zip"
	"bytes"
	"encoding/base64"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
)

const (
	blockSize   = 4 << 10 // disk space that a file occupies at least, in bytes
	maxUnpacked = 4 << 30 // size up to which the action proxy unpacks archives, in bytes
)

// ReserveFunc reserves disk space on this machine, in bytes, for files that a worker is about to write. The space stays
// reserved until release is called. A nil ReserveFunc means that disk space is unlimited.
type ReserveFunc func(bytes int64) (release func(), err error)

// forCode reserves the disk space that the code of a new worker needs. It returns a fault.Failed error if the space is
// not available.
func (r ReserveFunc) forCode(binary bool, code string) (release func(), err error) {
	if r == nil {
		return func() {}, nil
	}
	size := unpackedSize(binary, code)
	release, err = r(size)
	if err != nil {
		return nil, fault.New(fault.Failed,
			i18n.M("The action's code needs {{.MB}} MB of disk space, which would leave too little free space.", "MB", size>>20),
			i18n.M("Free up space on the disk of the local endpoint's directory, or make the archive smaller.")).Because(err)
	}
	return release, nil
}

// unpackedSize returns the maximum disk space that the code occupies, in bytes. It uses the file sizes in the archive's
// directory, which are reliable because the proxy does not unpack more than that of any file.
func unpackedSize(binary bool, code string) int64 {
	if !binary {
		return 2 * int64(len(code)+blockSize) // the proxy writes two copies
	}
	data, err := base64.StdEncoding.DecodeString(code)
	if err != nil {
		return maxUnpacked
	}
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return maxUnpacked
	}
	var sum uint64
	for _, f := range archive.File {
		sum += min(f.UncompressedSize64, maxUnpacked) + blockSize
		if f.Name == "__main__.py" { // the proxy writes a second copy
			sum += min(f.UncompressedSize64, maxUnpacked) + blockSize
		}
	}
	return int64(min(sum, maxUnpacked)) // the proxy rejects larger archives
}
