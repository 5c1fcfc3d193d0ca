package buildkit

import (
	"errors"
	"io"
	"net/http"

	"google.golang.org/protobuf/encoding/protowire"
)

// defaultAgent is the id of 'RUN --mount=type=ssh' without one.
const defaultAgent = "default"

func (o Offer) agentCheck(w http.ResponseWriter, r *http.Request) {
	id, err := firstString(r.Body)
	if err != nil {
		reply(w, nil, invalidArgument)
		return
	}
	if id == "" {
		id = defaultAgent
	}
	if _, there := o.Agents[id]; !there {
		reply(w, nil, notFound)
		return
	}
	reply(w, nil, ok)
}

// agent carries the bytes between a step of the build and an SSH agent, until either side ends.
func (o Offer) agent(w http.ResponseWriter, r *http.Request) {
	id := r.Header.Get("buildkit.ssh.id")
	if id == "" {
		id = defaultAgent
	}
	dial, there := o.Agents[id]
	if !there {
		reply(w, nil, notFound)
		return
	}
	streamed(w, r, func(s *stream) error {
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
		err = s.into(conn)
		_ = conn.Close()
		return errors.Join(err, <-sent)
	})
}

// into writes what comes in to w, until the other side ends.
func (s *stream) into(w io.Writer) error {
	for {
		msg, err := receive(s.r.Body, maxPiece)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		var wrong error
		err = fields(msg, func(num protowire.Number, _ uint64, value []byte) {
			if num == 1 && wrong == nil {
				_, wrong = w.Write(value)
			}
		})
		if err := errors.Join(err, wrong); err != nil {
			return err
		}
	}
}
