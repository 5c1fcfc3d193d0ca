package local

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"syscall"
	"testing"
	"time"
)

// peerUID returns the user of the client's socket, even for an IPv6 socket that is connected to an IPv4 address. For a
// closed socket it returns errNoPeer, although the kernel reports root.
func TestPeerUID(t *testing.T) {
	if !canIdentifyPeers() {
		t.Fatal("this kernel does not report the owner of a socket")
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for name, dial := range map[string]func() (net.Conn, error){
		"IPv4":   func() (net.Conn, error) { return net.Dial("tcp4", l.Addr().String()) },
		"mapped": func() (net.Conn, error) { return dialMapped(portOf(l)) },
	} {
		c, err := dial()
		if err != nil {
			t.Fatal(name, err)
		}
		accepted, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if uid, err := peerUID(accepted); err != nil || uid != os.Geteuid() {
			t.Errorf("%s: user %d, %v; want %d", name, uid, err, os.Geteuid())
		}
		_, _ = io.WriteString(c, "GET / HTTP/1.1\r\n\r\n")
		_ = c.Close()
		if uid, err := peerUID(accepted); !errors.Is(err, errNoPeer) {
			t.Errorf("%s: got user %d, %v for a closed socket; want %v", name, uid, err, errNoPeer)
		}
		_ = accepted.Close()
	}
}

// dialMapped connects an IPv6 socket to 127.0.0.1, as Java does.
func dialMapped(port int) (net.Conn, error) {
	s, err := syscall.Socket(syscall.AF_INET6, syscall.SOCK_STREAM, 0)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(s), "mapped")
	defer f.Close()
	address := &syscall.SockaddrInet6{Port: port}
	copy(address.Addr[:], net.IPv4(127, 0, 0, 1).To16())
	if err := syscall.Connect(s, address); err != nil {
		return nil, err
	}
	return net.FileConn(f)
}

// A userListener accepts connections from its own user and from root, and closes connections from other users.
func TestUserListenerRejectsOtherUsers(t *testing.T) {
	for _, c := range []struct {
		name     string
		uid      int // user of the listener
		accepted bool
	}{{"same user", os.Geteuid(), true}, {"another user", 4242, os.Geteuid() == 0}} {
		inner, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		l := &userListener{Listener: inner, uid: c.uid, log: slog.New(slog.DiscardHandler)}
		accepted := make(chan error, 1)
		go func() {
			conn, err := l.Accept()
			if err == nil {
				_, err = io.WriteString(conn, "x")
				_ = conn.Close()
			}
			accepted <- err
		}()
		conn, err := net.Dial("tcp4", inner.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(time.Minute))
		data, _ := io.ReadAll(conn)
		if got := string(data) == "x"; got != c.accepted {
			t.Errorf("%s: connection accepted %v, want %v", c.name, got, c.accepted)
		}
		_ = conn.Close()
		_ = inner.Close()
		<-accepted
	}
}
