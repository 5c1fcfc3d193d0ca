// Package buildkit implements the client side of a build with the BuildKit in a Docker Engine: the session in which
// BuildKit requests files, registry credentials, secrets and SSH agents, and the trace that reports the build's
// progress.
//
// The package implements only the parts of these wire formats that a build needs. It does not run the build. BuildKit's
// own client is not used because it adds 10 MB and the startup time of gRPC to the binary. The formats are stable,
// since every Docker CLI must work with every Engine.
package buildkit

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net"
	"net/http"
	"slices"
	"sync"

	"google.golang.org/protobuf/encoding/protowire"
)

// Dialer hijacks a connection to the engine, as client.DialHijack of the Docker client does.
type Dialer func(ctx context.Context, path, proto string, meta map[string][]string) (net.Conn, error)

// SessionOptions holds the resources that a session provides to its build.
type SessionOptions struct {
	// Account returns the user and secret for a registry host as BuildKit names it ("registry-1.docker.io" is Docker
	// Hub). Both are empty for anonymous access. A secret without a user is an identity token.
	Account func(ctx context.Context, host string) (user, secret string, err error)
	// Dirs holds the files that BuildKit may request. The keys are the names that BuildKit uses: "context" and
	// "dockerfile".
	Dirs map[string][]File
	// SharedKey identifies the content of the directories. For each key, BuildKit keeps a copy of the files, and
	// fetches only files that have changed since the last build. SharedKey may be empty.
	SharedKey string
	Secrets   map[string][]byte                                  // by the ID in 'RUN --mount=type=secret'
	Agents    map[string]func(context.Context) (net.Conn, error) // by the ID in 'RUN --mount=type=ssh'
}

// The methods that a session can provide, with the definitions of their messages.
const (
	methodHealth      = "/grpc.health.v1.Health/Check"                // BuildKit ends a session without it
	methodCredentials = "/moby.filesync.v1.Auth/Credentials"          // moby/buildkit, session/auth/auth.proto
	methodFiles       = "/moby.filesync.v1.FileSync/DiffCopy"         // session/filesync/filesync.proto
	methodSecret      = "/moby.buildkit.secrets.v1.Secrets/GetSecret" // session/secrets/secrets.proto
	methodAgentCheck  = "/moby.sshforward.v1.SSH/CheckAgent"          // session/sshforward/ssh.proto
	methodAgent       = "/moby.sshforward.v1.SSH/ForwardAgent"
)

// session is an open session. Its ID is passed in the build's options.
type session struct {
	ID     string
	server *http.Server
	done   chan struct{}
}

// Open opens a session with the engine. The build that specifies its ID may start immediately, because the engine waits
// for the session.
func Open(ctx context.Context, dial Dialer, options SessionOptions) (*session, error) {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	s := &session{ID: hex.EncodeToString(id[:]), done: make(chan struct{})}
	methods := options.methods()
	names := make([]string, 0, len(methods))
	mux := http.NewServeMux()
	for name, handler := range methods {
		names = append(names, name)
		mux.HandleFunc(name, handler)
	}
	slices.Sort(names)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { reply(w, nil, unimplemented) })
	conn, err := dial(ctx, "/session", "h2c", map[string][]string{
		"X-Docker-Expose-Session-Uuid":        {s.ID},
		"X-Docker-Expose-Session-Name":        {"fn-runtime"},
		"X-Docker-Expose-Session-Sharedkey":   {options.SharedKey},
		"X-Docker-Expose-Session-Grpc-Method": names,
	})
	if err != nil {
		return nil, err
	}
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true) // the engine is the client on this connection and starts with HTTP/2
	s.server = &http.Server{Handler: mux, Protocols: &protocols}
	go func() {
		defer close(s.done)
		_ = s.server.Serve(&oneConn{conn: conn, closed: make(chan struct{})})
	}()
	return s, nil
}

// Close ends the session and waits until all its goroutines have ended.
func (s *session) Close() error {
	err := s.server.Close()
	<-s.done
	return err
}

// methods returns the handlers of the methods that the session provides.
func (o SessionOptions) methods() map[string]http.HandlerFunc {
	all := map[string]http.HandlerFunc{
		methodHealth: func(w http.ResponseWriter, r *http.Request) {
			reply(w, protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), 1), ok) // SERVING
		},
		methodCredentials: o.credentials,
	}
	if len(o.Dirs) > 0 {
		all[methodFiles] = o.files
	}
	if len(o.Secrets) > 0 {
		all[methodSecret] = o.secret
	}
	if len(o.Agents) > 0 {
		all[methodAgentCheck], all[methodAgent] = o.agentCheck, o.agent
	}
	return all
}

func (o SessionOptions) credentials(w http.ResponseWriter, r *http.Request) {
	host, err := firstString(r.Body)
	if err != nil {
		reply(w, nil, invalidArgument)
		return
	}
	user, secret, err := o.Account(r.Context(), host)
	if err != nil {
		reply(w, nil, unauthenticated)
		return
	}
	reply(w, appendString(appendString(nil, 1, user), 2, secret), ok)
}

func (o SessionOptions) secret(w http.ResponseWriter, r *http.Request) {
	id, err := firstString(r.Body)
	if err != nil {
		reply(w, nil, invalidArgument)
		return
	}
	data, found := o.Secrets[id]
	if !found {
		reply(w, nil, notFound)
		return
	}
	reply(w, protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), data), ok)
}

// oneConn is a listener that returns one connection and then blocks until it is closed.
type oneConn struct {
	mu     sync.Mutex
	conn   net.Conn
	closed chan struct{}
	once   sync.Once
}

func (l *oneConn) Accept() (net.Conn, error) {
	l.mu.Lock()
	conn := l.conn
	l.conn = nil
	l.mu.Unlock()
	if conn != nil {
		return conn, nil
	}
	<-l.closed
	return nil, net.ErrClosed
}

func (l *oneConn) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *oneConn) Addr() net.Addr { return &net.UnixAddr{Name: "session", Net: "unix"} }
