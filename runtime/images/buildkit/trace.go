package buildkit

import (
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// Status is one report of a build: moby/buildkit, api/services/control/control.proto, StatusResponse. The Engine
// encodes it in base64 as the "aux" field of stream messages with the ID "moby.buildkit.trace".
type Status struct {
	Vertexes []Vertex
	Logs     []Log
}

// Vertex is a step of the build. It is reported again whenever its state changes.
type Vertex struct {
	Digest    string
	Name      string // "[2/4] RUN make"
	Cached    bool
	Started   time.Time // zero if the step has not started yet
	Completed time.Time // zero if the step has not completed yet
	Error     string
}

// Log is a piece of a step's output, not necessarily a line.
type Log struct {
	Vertex string // digest
	Data   []byte
}

// Parse parses a Status. The data is sent by the engine and may be invalid: Parse then returns an error and never
// panics. It ignores unknown fields.
func Parse(data []byte) (Status, error) {
	var s Status
	var inner error
	err := fields(data, func(num protowire.Number, _ uint64, value []byte) {
		switch num {
		case 1:
			v, err := parseVertex(value)
			inner = firstError(inner, err)
			s.Vertexes = append(s.Vertexes, v)
		case 3:
			l, err := parseLog(value)
			inner = firstError(inner, err)
			s.Logs = append(s.Logs, l)
		}
	})
	return s, firstError(err, inner)
}

func parseVertex(data []byte) (v Vertex, err error) {
	var inner error
	err = fields(data, func(num protowire.Number, n uint64, value []byte) {
		var e error
		switch num {
		case 1:
			v.Digest = string(value)
		case 3:
			v.Name = string(value)
		case 4:
			v.Cached = n != 0
		case 5:
			v.Started, e = parseTime(value)
		case 6:
			v.Completed, e = parseTime(value)
		case 7:
			v.Error = string(value)
		}
		inner = firstError(inner, e)
	})
	return v, firstError(err, inner)
}

func parseLog(data []byte) (l Log, err error) {
	err = fields(data, func(num protowire.Number, _ uint64, value []byte) {
		switch num {
		case 1:
			l.Vertex = string(value)
		case 4:
			l.Data = value
		}
	})
	return l, err
}

// parseTime parses a google.protobuf.Timestamp.
func parseTime(data []byte) (time.Time, error) {
	var sec, nsec int64
	err := fields(data, func(num protowire.Number, n uint64, _ []byte) {
		switch num {
		case 1:
			sec = int64(n)
		case 2:
			nsec = int64(n)
		}
	})
	return time.Unix(sec, nsec), err
}

// fields calls f for each field of a message, with the number of a varint or the bytes of a string or message.
func fields(data []byte, f func(num protowire.Number, n uint64, value []byte)) error {
	for len(data) > 0 {
		num, typ, n := protowire.ConsumeTag(data)
		if n < 0 {
			return protowire.ParseError(n)
		}
		data = data[n:]
		switch typ {
		case protowire.VarintType:
			v, n := protowire.ConsumeVarint(data)
			if n < 0 {
				return protowire.ParseError(n)
			}
			f(num, v, nil)
			data = data[n:]
		case protowire.BytesType:
			v, n := protowire.ConsumeBytes(data)
			if n < 0 {
				return protowire.ParseError(n)
			}
			f(num, 0, v)
			data = data[n:]
		default:
			n := protowire.ConsumeFieldValue(num, typ, data)
			if n < 0 {
				return protowire.ParseError(n)
			}
			data = data[n:]
		}
	}
	return nil
}

// firstError returns the first error that is not nil.
func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
