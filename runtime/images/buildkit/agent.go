package buildkit

import (
	"errors"
	"io"
	"net/http"

	"google.golang.org/protobuf/encoding/protowire"
)

// defaultAgent is the ID of the agent if 'RUN --mount=type=ssh' specifies none.
const defaultAgent = "default"

func (o SessionOptions) agentCheck(w http.ResponseWriter, r *http.Request) {
	id, err := firstString(r.Body)
	if err != nil {
		reply(w, nil, invalidArgument)
		return
	}
	if id == "" {
		id = defaultAgent
	}
	if _, found := o.Agents[id]; !found {
		reply(w, nil, notFound)
		return
	}
	reply(w, nil, ok)
}

// agent copies data between a step of the build and an SSH agent until either side ends.
func (o SessionOptions) agent(w http.ResponseWriter, r *http.Request) {
	id := r.Header.Get("buildkit.ssh.id")
	if id == "" {
		id = defaultAgent
	}
	dial, found := o.Agents[id]
	if !found {
		reply(w, nil, notFound)
		return
	}
	serveStream(w, r, func(s *stream) error {
		conn, err := dial(r.Context())
		if err != nil {
			return err
		}
		sent := make(chan error, 1)
		go func() {
			buf := make([]byte, maxMessage/2)
			for {
				n, err := conn.Read(buf)
				if n > 0 {
					if err := s.send(protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), buf[:n])); err != nil {
						sent <- err
						return
					}
				}
				if err != nil {
					sent <- nil
					return
				}
			}
		}()
		err = s.copyTo(conn)
		_ = conn.Close()
		return errors.Join(err, <-sent)
	})
}

// copyTo writes the received data to w until the other side ends.
func (s *stream) copyTo(w io.Writer) error {
	for {
		msg, err := receive(s.r.Body, maxPiece)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		var writeErr error
		err = fields(msg, func(num protowire.Number, _ uint64, value []byte) {
			if num == 1 && writeErr == nil {
				_, writeErr = w.Write(value)
			}
		})
		if err := errors.Join(err, writeErr); err != nil {
			return err
		}
	}
}
