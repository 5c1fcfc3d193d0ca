// Package buildkit is the client's side of a build by BuildKit inside a Docker Engine: the session over which BuildKit
// asks for files, registry credentials, secrets and SSH agents, and the trace in which it reports.
//
// What may go in: these wire formats, as small as a build needs them. What may not: the build itself. BuildKit's own
// client is not used, because it adds 10 MB and gRPC's start-up to the binary; the formats are stable, since every
// Docker CLI speaks them to every Engine.
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

// Dialer hijacks a connection to the engine: client.DialHijack of the Docker client.
type Dialer func(ctx context.Context, path, proto string, meta map[string][]string) (net.Conn, error)

// Offer says what a session gives to the build that names it.
type Offer struct {
	// Account returns user and secret for a registry host as BuildKit names it ("registry-1.docker.io" is Docker Hub).
	// Both empty means anonymous; a user "" with a secret is an identity token.
	Account func(ctx context.Context, host string) (user, secret string, err error)
	// Folders are the files that BuildKit may ask for, by the names under which it asks: "context" and "dockerfile".
	Folders map[string][]File
	// SharedKey names what the folders hold, so that BuildKit keeps those of different projects apart and fetches
	// only what differs from the last build; "" is no name.
	SharedKey string
	Secrets   map[string][]byte                                  // by id, as 'RUN --mount=type=secret' names it
	Agents    map[string]func(context.Context) (net.Conn, error) // by id, as 'RUN --mount=type=ssh' names it
}

// The methods that a session may offer, and the sources of their messages.
const (
	methodHealth      = "/grpc.health.v1.Health/Check"                // without it BuildKit ends the session
	methodCredentials = "/moby.filesync.v1.Auth/Credentials"          // moby/buildkit, session/auth/auth.proto
	methodFiles       = "/moby.filesync.v1.FileSync/DiffCopy"         // session/filesync/filesync.proto
	methodSecret      = "/moby.buildkit.secrets.v1.Secrets/GetSecret" // session/secrets/secrets.proto
	methodAgentCheck  = "/moby.sshforward.v1.SSH/CheckAgent"          // session/sshforward/ssh.proto
	methodAgent       = "/moby.sshforward.v1.SSH/ForwardAgent"
)

// session is open from Open to Close. Its ID goes into the build's options.
type session struct {
	ID     string
	server *http.Server
	done   chan struct{}
}

// Open offers a session to the engine. The build that names its ID may start at once: the engine waits for it.
func Open(ctx context.Context, dial Dialer, offer Offer) (*session, error) {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	s := &session{ID: hex.EncodeToString(id[:]), done: make(chan struct{})}
	methods := offer.methods()
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
		"X-Docker-Expose-Session-Sharedkey":   {offer.SharedKey},
		"X-Docker-Expose-Session-Grpc-Method": names,
	})
	if err != nil {
		return nil, err
	}
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true) // the engine is the client on this connection, and starts with HTTP/2
	s.server = &http.Server{Handler: mux, Protocols: &protocols}
	go func() {
		defer close(s.done)
		_ = s.server.Serve(&oneConn{conn: conn, closed: make(chan struct{})})
	}()
	return s, nil
}

// Close ends the session and waits until nothing of it runs any more.
func (s *session) Close() error {
	err := s.server.Close()
	<-s.done
	return err
}

// methods are what this offer answers.
func (o Offer) methods() map[string]http.HandlerFunc {
	all := map[string]http.HandlerFunc{
		methodHealth: func(w http.ResponseWriter, r *http.Request) {
			reply(w, protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), 1), ok) // SERVING
		},
		methodCredentials: o.credentials,
	}
	if len(o.Folders) > 0 {
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

func (o Offer) credentials(w http.ResponseWriter, r *http.Request) {
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

func (o Offer) secret(w http.ResponseWriter, r *http.Request) {
	id, err := firstString(r.Body)
	if err != nil {
		reply(w, nil, invalidArgument)
		return
	}
	data, there := o.Secrets[id]
	if !there {
		reply(w, nil, notFound)
		return
	}
	reply(w, protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), data), ok)
}

// oneConn is a listener that gives one connection and then waits to be closed.
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
