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

// sshAgents returns a dialer for each SSH agent. A step of the build may list the agent's keys and sign with them, but
// nothing else.
func (b *Builder) sshAgents(specs []entity.BuildSSH) (map[string]dialer, error) {
	all := map[string]dialer{}
	for _, s := range specs {
		path := s.Socket
		if path == "" {
			path = b.o.Getenv("SSH_AUTH_SOCK")
		}
		info, err := os.Stat(path)
		if err == nil && info.Mode()&fs.ModeSocket == 0 {
			err = errors.New("not a socket")
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
			return &restrictedAgent{Conn: conn}, nil
		}
	}
	return all, nil
}

// Constants of the SSH agent protocol (draft-miller-ssh-agent, section 5.1): the messages that a step of a build may
// send, the type that replaces all other messages, and the maximum size of a message in bytes.
const (
	agentListKeys   = 11
	agentSign       = 13
	agentInvalid    = 0 // undefined: the agent responds with a failure
	maxAgentMessage = 256 << 10
)

var errInvalidAgentMessage = errors.New("invalid SSH agent message")

// restrictedAgent is a connection to an agent with which a build can use the user's keys but not change them. It
// forwards only messages that list keys or sign, so that a build cannot add, remove or lock keys.
type restrictedAgent struct {
	net.Conn
	pending []byte // incomplete message
}

// Write forwards messages, which may arrive in pieces of any size.
func (a *restrictedAgent) Write(p []byte) (int, error) {
	a.pending = append(a.pending, p...)
	for len(a.pending) >= 5 {
		size := int(binary.BigEndian.Uint32(a.pending))
		if size < 1 || size > maxAgentMessage {
			return 0, errInvalidAgentMessage
		}
		if len(a.pending) < 4+size {
			break
		}
		message := a.pending[:4+size]
		if kind := message[4]; kind != agentListKeys && kind != agentSign {
			message = []byte{0, 0, 0, 1, agentInvalid}
		}
		if _, err := a.Conn.Write(message); err != nil {
			return 0, err
		}
		a.pending = a.pending[4+size:]
	}
	return len(p), nil
}
