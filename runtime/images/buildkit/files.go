package buildkit

import (
	"errors"
	"io"
	"net/http"

	"google.golang.org/protobuf/encoding/protowire"
)

// File is an entry of a folder as BuildKit sees it. The files of a folder are in the order in which a walk meets them,
// each after the folder in which it is.
type File struct {
	Path    string // relative to the folder, with slashes
	Mode    uint32 // an fs.FileMode
	Size    int64  // bytes; 0 of what is not a regular file
	ModTime int64  // ns since 1970
	Link    string // where a symbolic link leads, with slashes; "" for others
	// Open returns the content; nil for what has none.
	Open func() (io.ReadCloser, error)
}

// The types of the packets of a transfer, and the fields of a packet and of a file's state in it: tonistiigi/fsutil,
// types/wire.proto and types/stat.proto. Owners are left out, so that root owns the files, as with the Docker CLI.
const (
	packetStat = 0
	packetAsk  = 1
	packetData = 2
	packetEnd  = 3
	packetErr  = 4

	packetType, packetFile, packetID, packetBytes      = 1, 2, 3, 4
	statPath, statMode, statSize, statTime, statTarget = 1, 2, 5, 6, 7
)

// chunk is how much of a file goes into one packet, in bytes.
const chunk = 32 << 10

// files sends what BuildKit lacks of a folder: it is told the state of every file, asks for the content of those whose
// state differs from its last copy, and ends the transfer. Its patterns are left aside, because a folder has only the
// files that are to be sent.
func (o Offer) files(w http.ResponseWriter, r *http.Request) {
	folder, there := o.Folders[r.Header.Get("dir-name")]
	if !there {
		reply(w, nil, notFound)
		return
	}
	streamed(w, r, func(s *stream) error {
		t := transfer{stream: s, files: folder, asked: make(chan uint64, len(folder)+1)}
		stopped := make(chan error, 1)
		go func() { stopped <- t.listen() }() // at once: BuildKit asks while it is told, and waits when nobody listens
		err := t.tell()
		if err == nil {
			err = t.answer()
		}
		if err != nil {
			_ = s.send(packet(packetErr, 0, nil, []byte(err.Error())))
			_ = r.Body.Close()
		}
		return errors.Join(err, <-stopped)
	})
}

// transfer is one sending of a folder.
type transfer struct {
	*stream
	files []File
	asked chan uint64 // indexes of the files that BuildKit wants, each at most once; closed at the end
}

// tell sends the state of every file, and that these were all.
func (t transfer) tell() error {
	for _, f := range t.files {
		if err := t.send(packet(packetStat, 0, f.state(), nil)); err != nil {
			return err
		}
	}
	return t.send(packet(packetStat, 0, nil, nil))
}

// listen takes what BuildKit asks for, until it ends the transfer.
func (t transfer) listen() error {
	defer close(t.asked)
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
		case kind == packetAsk && id < uint64(len(seen)) && !seen[id] && t.files[id].Open != nil:
			seen[id] = true
			t.asked <- id
		default:
			return errors.New("BuildKit asks for what was not offered")
		}
	}
}

// answer sends the contents, and confirms the end.
func (t transfer) answer() error {
	for id := range t.asked {
		if err := t.content(id); err != nil {
			return err
		}
	}
	return t.send(packet(packetEnd, 0, nil, nil))
}

func (t transfer) content(id uint64) error {
	r, err := t.files[id].Open()
	if err != nil {
		return err
	}
	defer r.Close()
	buf := make([]byte, chunk)
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
