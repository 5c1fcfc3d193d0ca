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

// errNoPeer says that the other end of a connection is no socket of this machine that a process holds.
var errNoPeer = errors.New("the other end of the connection is not a process on this machine")

// ownListener takes connections of this user's processes, and of root's. The credentials alone do not do: the Lithops
// client invokes without looking at the certificate (openwhisk/client.py: _create_unverified_context), so whoever
// listens on the port of a stopped endpoint can be handed them. Here they open nothing to another user.
type ownListener struct {
	net.Listener
	uid     int
	foreign bool // the listener is on a bridge: ends that this machine does not have are containers
	log     *slog.Logger
	logged  atomic.Int64 // when a refusal was last written, Unix s
}

// own wraps listeners, where the system tells who is at the other end; elsewhere they are left as they are. foreign are
// those that containers reach.
func own(log *slog.Logger, foreign bool, listeners ...net.Listener) []net.Listener {
	if !peersAreKnown() {
		return listeners
	}
	wrapped := make([]net.Listener, len(listeners))
	for i, l := range listeners {
		wrapped[i] = &ownListener{Listener: l, uid: os.Geteuid(), foreign: foreign, log: log}
	}
	return wrapped
}

// Accept waits for the next connection that may come in; it closes others.
func (l *ownListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		uid, err := peerOf(c)
		if err == nil && (uid == l.uid || uid == 0) || l.foreign && errors.Is(err, errNoPeer) {
			return c, nil
		}
		_ = c.Close()
		l.refused(uid, err)
	}
}

// refused writes one refusal a minute: another user must not be able to fill the log.
func (l *ownListener) refused(uid int, err error) {
	now, last := time.Now().Unix(), l.logged.Load()
	if errors.Is(err, errNoPeer) || now-last < 60 || !l.logged.CompareAndSwap(last, now) {
		return
	}
	l.log.Warn("connection of another user refused", "uid", uid, "err", err)
}

// peerOf returns the user whose socket is the other end of a connection within this machine.
func peerOf(c net.Conn) (uid int, err error) {
	return socketOwner(endOf(c.RemoteAddr()), endOf(c.LocalAddr()))
}

func endOf(a net.Addr) netip.AddrPort {
	t, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	end := t.AddrPort()
	return netip.AddrPortFrom(end.Addr().Unmap(), end.Port())
}
