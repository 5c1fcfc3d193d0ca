package buildkit

import (
	"encoding/binary"
	"errors"
	"io"
	"net/http"

	"google.golang.org/protobuf/encoding/protowire"
)

// The gRPC status codes that a session returns.
const (
	ok              = "0"
	unknown         = "2"
	invalidArgument = "3"
	notFound        = "5"
	unimplemented   = "12"
	unauthenticated = "16"
)

// Maximum sizes of BuildKit's messages in bytes: a message with a name, and a message with a piece of a stream.
const (
	maxMessage = 64 << 10
	maxPiece   = 4 << 20
)

// receive reads one message: a prefix of five bytes and a protobuf. It returns io.EOF at the end of the stream.
func receive(r io.Reader, limit uint32) ([]byte, error) {
	var prefix [5]byte
	if _, err := io.ReadFull(r, prefix[:]); err != nil {
		return nil, err
	}
	size := binary.BigEndian.Uint32(prefix[1:])
	if prefix[0] != 0 || size > limit {
		return nil, errors.New("compressed or oversized message")
	}
	msg := make([]byte, size)
	_, err := io.ReadFull(r, msg)
	return msg, err
}

// firstString returns field 1 of the only message of a call: a host or an ID.
func firstString(body io.Reader) (string, error) {
	msg, err := receive(body, maxMessage)
	if err != nil {
		return "", err
	}
	first := ""
	err = fields(msg, func(num protowire.Number, _ uint64, value []byte) {
		if num == 1 {
			first = string(value)
		}
	})
	return first, err
}

func appendString(b []byte, num protowire.Number, s string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, num, protowire.BytesType), s)
}

// frame adds the prefix of a gRPC message, as read by receive.
func frame(msg []byte) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(msg))), msg...)
}

// reply responds to a call with one message, or with no message if status is an error.
func reply(w http.ResponseWriter, msg []byte, status string) {
	begin(w)
	if status == ok {
		_, _ = w.Write(frame(msg))
	}
	end(w, status)
}

// begin writes the header of a response.
func begin(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/grpc")
	w.Header().Set("Trailer", "Grpc-Status")
	w.WriteHeader(http.StatusOK)
}

// end sets the gRPC status in the trailer of a response.
func end(w http.ResponseWriter, status string) { w.Header().Set("Grpc-Status", status) }

// stream is a call in which both sides send messages independently of each other. Only one goroutine may send.
type stream struct {
	w   http.ResponseWriter
	r   *http.Request
	out *http.ResponseController
}

// serveStream handles a call with serve. The error of serve determines the status.
func serveStream(w http.ResponseWriter, r *http.Request, serve func(*stream) error) {
	begin(w)
	s := &stream{w: w, r: r, out: http.NewResponseController(w)}
	_ = s.out.Flush()
	if serve(s) != nil {
		end(w, unknown)
		return
	}
	end(w, ok)
}

func (s *stream) send(msg []byte) error {
	if _, err := s.w.Write(frame(msg)); err != nil {
		return err
	}
	return s.out.Flush()
}
