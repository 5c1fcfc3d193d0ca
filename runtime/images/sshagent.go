package images

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/regular"
)

type dialer = func(context.Context) (net.Conn, error)

// agents gives a way to each SSH agent. A step of the build may sign with its keys and list them, and no more.
func (b *Builder) agents(specs []entity.BuildSSH) (map[string]dialer, error) {
	all := map[string]dialer{}
	for _, s := range specs {
		if len(s.Paths) == 0 {
			s.Paths = []string{b.o.Getenv("SSH_AUTH_SOCK")}
		}
		dial, err := agentOf(s.Paths)
		if err != nil {
			return nil, fault.New(fault.Invalid, i18n.M("The SSH agent {{.ID}} cannot be used: {{.Error}}.", "ID", s.ID, "Error", err),
				i18n.M("Start an agent and set SSH_AUTH_SOCK, or give a socket or key files without a passphrase: '{{.ID}}=PATH'.", "ID", s.ID)).Because(err)
		}
		all[s.ID] = dial
	}
	return all, nil
}

func agentOf(paths []string) (dialer, error) {
	if len(paths) == 1 {
		info, err := os.Stat(paths[0])
		if err != nil {
			return nil, err
		}
		if info.Mode()&fs.ModeSocket != 0 {
			return func(ctx context.Context) (net.Conn, error) {
				var d net.Dialer
				conn, err := d.DialContext(ctx, "unix", paths[0])
				if err != nil {
					return nil, err
				}
				return serveAgent(agent.NewClient(conn), conn), nil
			}, nil
		}
	}
	keys := agent.NewKeyring()
	for _, path := range paths {
		if err := addKey(keys, path); err != nil {
			return nil, err
		}
	}
	return func(context.Context) (net.Conn, error) { return serveAgent(keys, nil), nil }, nil
}

// maxKey is the most that a private key may hold, in bytes.
const maxKey = 100 << 10

func addKey(keys agent.Agent, path string) error {
	data, err := regular.Read(path, maxKey)
	if err != nil {
		return err
	}
	key, err := ssh.ParseRawPrivateKey(data)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return keys.Add(agent.AddedKey{PrivateKey: key})
}

// serveAgent gives a connection to an agent; behind is closed with it.
func serveAgent(a agent.Agent, behind io.Closer) net.Conn {
	ours, theirs := net.Pipe()
	go func() {
		_ = agent.ServeAgent(lender{a}, ours)
		_ = ours.Close()
		if behind != nil {
			_ = behind.Close()
		}
	}()
	return theirs
}

// lender is an agent whose keys can be used and not changed.
type lender struct{ agent.Agent }

var errLent = errors.New("a build may only use the keys of an agent")

func (lender) Add(agent.AddedKey) error   { return errLent }
func (lender) Remove(ssh.PublicKey) error { return errLent }
func (lender) RemoveAll() error           { return errLent }
func (lender) Lock([]byte) error          { return errLent }
func (lender) Unlock([]byte) error        { return errLent }
