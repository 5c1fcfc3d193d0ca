package images

import (
	"context"
	"encoding/binary"
	"errors"
	"io/fs"
	"net"
	"os"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
)

type dialer = func(context.Context) (net.Conn, error)

// agents returns a way to each SSH agent. A step of the build may list the agent's keys and sign with them, and no more.
func (b *Builder) agents(specs []entity.BuildSSH) (map[string]dialer, error) {
	all := map[string]dialer{}
	for _, s := range specs {
		path := s.Socket
		if path == "" {
			path = b.o.Getenv("SSH_AUTH_SOCK")
		}
		info, err := os.Stat(path)
		if err == nil && info.Mode()&fs.ModeSocket == 0 {
			err = errors.New("it is no socket")
		}
		if err != nil {
			return nil, fault.New(fault.Invalid, i18n.M("SSH agent {{.ID}} was not found at '{{.Path}}': {{.Error}}.", "ID", s.ID, "Path", path, "Error", err),
				i18n.M("Start an agent and add the key: 'eval $(ssh-agent)', then 'ssh-add KEY'; or specify the agent's socket: '{{.ID}}=SOCKET'.", "ID", s.ID)).Because(err)
		}
		all[s.ID] = func(ctx context.Context) (net.Conn, error) {
			var d net.Dialer
			conn, err := d.DialContext(ctx, "unix", path)
			if err != nil {
				return nil, err
			}
			return &lentAgent{Conn: conn}, nil
		}
	}
	return all, nil
}

// The messages of the SSH agent protocol (draft-miller-ssh-agent, section 5.1) that a step of a build may send; what an
// agent is told in place of any other; and the most that a message may hold, in bytes.
const (
	agentListKeys = 11
	agentSign     = 13
	agentNothing  = 0 // no message has this number: the agent answers that it failed
	maxAsked      = 256 << 10
)

var errNoAgentMessage = errors.New("that is no message to an SSH agent")

// lentAgent is a connection to an agent whose keys can be used and not changed: it is asked only what lists keys and
// signs, so that a build can neither add nor remove nor lock keys of the user.
type lentAgent struct {
	net.Conn
	asked []byte // the part of a message that has come in
}

// Write takes what the step asks, in pieces of any size.
func (a *lentAgent) Write(p []byte) (int, error) {
	a.asked = append(a.asked, p...)
	for len(a.asked) >= 5 {
		size := int(binary.BigEndian.Uint32(a.asked))
		if size < 1 || size > maxAsked {
			return 0, errNoAgentMessage
		}
		if len(a.asked) < 4+size {
			break
		}
		message := a.asked[:4+size]
		if kind := message[4]; kind != agentListKeys && kind != agentSign {
			message = []byte{0, 0, 0, 1, agentNothing}
		}
		if _, err := a.Conn.Write(message); err != nil {
			return 0, err
		}
		a.asked = a.asked[4+size:]
	}
	return len(p), nil
}
