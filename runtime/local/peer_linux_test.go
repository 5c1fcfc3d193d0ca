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

// A client is known by the user of its socket, also where that socket is one of IPv6 that speaks IPv4, and not at all
// once nobody holds it: the kernel would name root.
func TestPeerIsKnown(t *testing.T) {
	if !peersAreKnown() {
		t.Fatal("this kernel does not tell whose a socket is")
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
		ours, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if uid, err := peerOf(ours); err != nil || uid != os.Geteuid() {
			t.Errorf("%s: user %d, %v; want %d", name, uid, err, os.Geteuid())
		}
		_, _ = io.WriteString(c, "GET / HTTP/1.1\r\n\r\n")
		_ = c.Close()
		if uid, err := peerOf(ours); !errors.Is(err, errNoPeer) {
			t.Errorf("%s: user %d, %v of a socket that was closed; want %v", name, uid, err, errNoPeer)
		}
		_ = ours.Close()
	}
}

// dialMapped connects a socket of IPv6 to 127.0.0.1, as Java's do.
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

// On a bridge, ends that are no sockets of this machine are containers; others are users of this machine as anywhere.
func TestStrangersAreClosedOut(t *testing.T) {
	for _, c := range []struct {
		name string
		uid  int // whose the listener is
		in   bool
	}{{"one's own", os.Geteuid(), true}, {"another user's", 4242, os.Geteuid() == 0}} {
		inner, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		l := &ownListener{Listener: inner, uid: c.uid, log: slog.New(slog.DiscardHandler)}
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
		if got := string(data) == "x"; got != c.in {
			t.Errorf("%s connection: taken %v, want %v", c.name, got, c.in)
		}
		_ = conn.Close()
		_ = inner.Close()
		<-accepted
	}
}
