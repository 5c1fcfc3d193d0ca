package buildkit

import (
	"errors"
	"io"
	"net/http"

	"google.golang.org/protobuf/encoding/protowire"
)

// File is an entry of a directory that is sent to BuildKit. The files of a directory are in the order of a walk, each
// after its parent directory.
type File struct {
	Path    string // relative to the directory, with slashes
	Mode    uint32 // an fs.FileMode
	Size    int64  // in bytes; 0 unless it is a regular file
	ModTime int64  // in ns since 1970
	Link    string // target of a symbolic link, with slashes; "" for other files
	// Open returns the content. It is nil if the file has no content.
	Open func() (io.ReadCloser, error)
}

// Types of the packets of a transfer, and the fields of a packet and of the file state in it: tonistiigi/fsutil,
// types/wire.proto and types/stat.proto. As in the Docker CLI, owners are omitted, so that root owns the files.
const (
	packetStat    = 0
	packetRequest = 1
	packetData    = 2
	packetEnd     = 3
	packetErr     = 4

	packetType, packetFile, packetID, packetBytes      = 1, 2, 3, 4
	statPath, statMode, statSize, statTime, statTarget = 1, 2, 5, 6, 7
)

// chunkSize is the number of bytes of a file in one packet.
const chunkSize = 32 << 10

// files sends those files of a directory that BuildKit does not have. First, it sends the state of every file. BuildKit
// then requests the content of files whose state differs from its last copy, and ends the transfer. The patterns in
// BuildKit's request are ignored, because the directory contains only files that must be sent.
func (o SessionOptions) files(w http.ResponseWriter, r *http.Request) {
	dir, found := o.Dirs[r.Header.Get("dir-name")]
	if !found {
		reply(w, nil, notFound)
		return
	}
	serveStream(w, r, func(s *stream) error {
		t := transfer{stream: s, files: dir, requested: make(chan uint64, len(dir)+1)}
		stopped := make(chan error, 1)
		go func() { stopped <- t.readRequests() }() // starts before the states are sent: BuildKit sends requests while it receives states, and blocks if nothing reads them
		err := t.sendStates()
		if err == nil {
			err = t.sendContents()
		}
		if err != nil {
			_ = s.send(packet(packetErr, 0, nil, []byte(err.Error())))
			_ = r.Body.Close()
		}
		return errors.Join(err, <-stopped)
	})
}

// transfer is the transfer of one directory.
type transfer struct {
	*stream
	files     []File
	requested chan uint64 // indexes of the requested files, each at most once; closed at the end
}

// sendStates sends the state of every file, and the end of the list.
func (t transfer) sendStates() error {
	for _, f := range t.files {
		if err := t.send(packet(packetStat, 0, f.state(), nil)); err != nil {
			return err
		}
	}
	return t.send(packet(packetStat, 0, nil, nil))
}

// readRequests reads BuildKit's requests until BuildKit ends the transfer.
func (t transfer) readRequests() error {
	defer close(t.requested)
	seen := make([]bool, len(t.files))
	for {
		msg, err := receive(t.r.Body, maxMessage)
		if err != nil {
			return err
		}
		var kind, id uint64
		var text string
		if err := fields(msg, func(num protowire.Number, number uint64, value []byte) {
			switch num {
			case packetType:
				kind = number
			case packetID:
				id = number
			case packetBytes:
				text = string(value)
			}
		}); err != nil {
			return err
		}
		switch {
		case kind == packetEnd:
			return nil
		case kind == packetErr:
			return errors.New(text)
		case kind == packetRequest && id < uint64(len(seen)) && !seen[id] && t.files[id].Open != nil:
			seen[id] = true
			t.requested <- id
		default:
			return errors.New("unexpected request by BuildKit")
		}
	}
}

// sendContents sends the requested contents, and confirms the end.
func (t transfer) sendContents() error {
	for id := range t.requested {
		if err := t.sendContent(id); err != nil {
			return err
		}
	}
	return t.send(packet(packetEnd, 0, nil, nil))
}

// sendContent sends the content of one file.
func (t transfer) sendContent(id uint64) error {
	r, err := t.files[id].Open()
	if err != nil {
		return err
	}
	defer r.Close()
	buf := make([]byte, chunkSize)
	for {
		n, err := r.Read(buf)
		if n > 0 {
			if err := t.send(packet(packetData, id, nil, buf[:n])); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return t.send(packet(packetData, id, nil, nil))
		}
		if err != nil {
			return err
		}
	}
}

func packet(kind, id uint64, state, data []byte) []byte {
	b := appendNumber(appendNumber(nil, packetType, kind), packetID, id)
	if state != nil {
		b = protowire.AppendBytes(protowire.AppendTag(b, packetFile, protowire.BytesType), state)
	}
	if len(data) > 0 {
		b = protowire.AppendBytes(protowire.AppendTag(b, packetBytes, protowire.BytesType), data)
	}
	return b
}

func (f File) state() []byte {
	b := appendString(nil, statPath, f.Path)
	b = appendNumber(b, statMode, uint64(f.Mode))
	b = appendNumber(b, statSize, uint64(f.Size))
	b = appendNumber(b, statTime, uint64(f.ModTime))
	if f.Link != "" {
		b = appendString(b, statTarget, f.Link)
	}
	return b
}

func appendNumber(b []byte, num protowire.Number, n uint64) []byte {
	if n == 0 {
		return b
	}
	return protowire.AppendVarint(protowire.AppendTag(b, num, protowire.VarintType), n)
}
