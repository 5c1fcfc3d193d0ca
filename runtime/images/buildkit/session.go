// Package buildkit is the client's side of a build by BuildKit inside a Docker Engine: the session over which BuildKit
// asks for registry credentials, and the trace in which it reports.
//
// What may go in: these two wire formats, as small as a build needs them. What may not: the build itself. BuildKit's
// own client is not used, because it adds 10 MB and gRPC's start-up to the binary; the formats are stable, since every
// Docker CLI speaks them to every Engine.
package buildkit

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"

	"google.golang.org/protobuf/encoding/protowire"
)

// Dialer hijacks a connection to the engine: client.DialHijack of the Docker client.
type Dialer func(ctx context.Context, path, proto string, meta map[string][]string) (net.Conn, error)

// account gives user and secret for a registry host as BuildKit names it ("registry-1.docker.io" is Docker Hub). Both
// empty means anonymous; a user "" with a secret is an identity token.
type account func(ctx context.Context, host string) (user, secret string, err error)

// The methods that a session offers: health, without which BuildKit ends it, and credentials. The second is
// moby/buildkit, session/auth/auth.proto.
const (
	methodHealth      = "/grpc.health.v1.Health/Check"
	methodCredentials = "/moby.filesync.v1.Auth/Credentials"
)

// maxMessage is the most that a request of BuildKit may hold, in bytes: a host name.
const maxMessage = 64 << 10

// session is open from Open to Close. Its ID goes into the build's options.
type session struct {
	ID     string
	server *http.Server
	done   chan struct{}
}

// Open offers a session to the engine. The build that names its ID may start at once: the engine waits for it.
func Open(ctx context.Context, dial Dialer, account account) (*session, error) {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	s := &session{ID: hex.EncodeToString(id[:]), done: make(chan struct{})}
	conn, err := dial(ctx, "/session", "h2c", map[string][]string{
		"X-Docker-Expose-Session-Uuid":        {s.ID},
		"X-Docker-Expose-Session-Name":        {"fn-runtime"},
		"X-Docker-Expose-Session-Sharedkey":   {""},
		"X-Docker-Expose-Session-Grpc-Method": {methodHealth, methodCredentials},
	})
	if err != nil {
		return nil, err
	}
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true) // the engine is the client on this connection, and starts with HTTP/2
	s.server = &http.Server{Handler: handler(account), Protocols: &protocols}
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

// handler answers unary gRPC calls: a message of five bytes of prefix and a protobuf, and the status in trailers.
func handler(account account) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc(methodHealth, func(w http.ResponseWriter, r *http.Request) {
		reply(w, protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), 1), "0") // SERVING
	})
	mux.HandleFunc(methodCredentials, func(w http.ResponseWriter, r *http.Request) {
		host, err := hostOf(r.Body)
		if err != nil {
			reply(w, nil, "3") // invalid argument
			return
		}
		user, secret, err := account(r.Context(), host)
		if err != nil {
			reply(w, nil, "16") // unauthenticated
			return
		}
		reply(w, appendString(appendString(nil, 1, user), 2, secret), "0")
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { reply(w, nil, "12") }) // unimplemented
	return mux
}

// hostOf reads field 1 of a CredentialsRequest.
func hostOf(body io.Reader) (string, error) {
	var prefix [5]byte
	if _, err := io.ReadFull(body, prefix[:]); err != nil {
		return "", err
	}
	size := binary.BigEndian.Uint32(prefix[1:])
	if prefix[0] != 0 || size > maxMessage {
		return "", errors.New("compressed or oversized message")
	}
	msg := make([]byte, size)
	if _, err := io.ReadFull(body, msg); err != nil {
		return "", err
	}
	host := ""
	err := fields(msg, func(num protowire.Number, _ uint64, value []byte) {
		if num == 1 {
			host = string(value)
		}
	})
	return host, err
}

func appendString(b []byte, num protowire.Number, s string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, num, protowire.BytesType), s)
}

func reply(w http.ResponseWriter, msg []byte, status string) {
	w.Header().Set("Content-Type", "application/grpc")
	w.Header().Set("Trailer", "Grpc-Status")
	w.WriteHeader(http.StatusOK)
	if status == "0" {
		_, _ = w.Write(append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(msg))), msg...))
	}
	w.Header().Set("Grpc-Status", status)
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
