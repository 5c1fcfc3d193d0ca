package local

import (
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"sync/atomic"
	"time"
)

// errNoPeer is the error for a connection whose other end is not an open socket of a process on this machine.
var errNoPeer = errors.New("the other end of the connection is not a process on this machine")

// userListener accepts connections only from processes of this user and of root. Credentials alone are not sufficient:
// the Lithops client does not verify the certificate for invocations (openwhisk/client.py: _create_unverified_context),
// so a program that listens on the port of a stopped endpoint can obtain the credentials. With this listener, another
// user cannot use them.
type userListener struct {
	net.Listener
	uid        int
	containers bool // the listener is on a bridge: a connection without a socket on this machine comes from a container
	log        *slog.Logger
	logged     atomic.Int64 // Unix time in s at which a rejected connection was last logged
}

// sameUserOnly returns listeners that accept connections only from this user and root. With containers, they also
// accept connections from containers. If the system does not support the check, sameUserOnly returns the listeners
// unchanged.
func sameUserOnly(log *slog.Logger, containers bool, listeners ...net.Listener) []net.Listener {
	if !canIdentifyPeers() {
		return listeners
	}
	wrapped := make([]net.Listener, len(listeners))
	for i, l := range listeners {
		wrapped[i] = &userListener{Listener: l, uid: os.Geteuid(), containers: containers, log: log}
	}
	return wrapped
}

// Accept returns the next permitted connection. It closes other connections.
func (l *userListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		uid, err := peerUID(c)
		if err == nil && (uid == l.uid || uid == 0) || l.containers && errors.Is(err, errNoPeer) {
			return c, nil
		}
		_ = c.Close()
		l.logRejected(uid, err)
	}
}

// logRejected logs a rejected connection, at most one per minute, so that another user cannot fill the log.
func (l *userListener) logRejected(uid int, err error) {
	now, last := time.Now().Unix(), l.logged.Load()
	if errors.Is(err, errNoPeer) || now-last < 60 || !l.logged.CompareAndSwap(last, now) {
		return
	}
	l.log.Warn("connection of another user refused", "uid", uid, "err", err)
}

// peerUID returns the user that owns the other end of a connection on this machine. It returns errNoPeer if the other
// end is not an open socket on this machine.
func peerUID(c net.Conn) (uid int, err error) {
	return socketOwner(addrPort(c.RemoteAddr()), addrPort(c.LocalAddr()))
}

// addrPort converts a TCP address. It converts IPv4-mapped IPv6 addresses to IPv4.
func addrPort(a net.Addr) netip.AddrPort {
	t, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	ap := t.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}
