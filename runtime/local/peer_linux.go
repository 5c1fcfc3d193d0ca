package local

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"
)

// Structures of sock_diag(7): the sizes of struct inet_diag_req_v2 and struct inet_diag_msg, and the offsets of two
// fields of inet_diag_msg.
const (
	diagRequest = 56
	diagMessage = 72
	diagUID     = 64
	diagInode   = 68
)

// socketOwner returns the UID that owns the TCP socket with the given local and remote address. It queries the kernel
// for this socket only, so the time does not depend on the number of sockets. It returns errNoPeer if there is no such
// socket or if no process holds it any more.
func socketOwner(local, remote netip.AddrPort) (int, error) {
	req := make([]byte, unix.SizeofNlMsghdr+diagRequest)
	native := binary.NativeEndian
	native.PutUint32(req[0:], uint32(len(req)))
	native.PutUint16(req[4:], unix.SOCK_DIAG_BY_FAMILY)
	native.PutUint16(req[6:], unix.NLM_F_REQUEST)
	diag := req[unix.SizeofNlMsghdr:]
	diag[0], diag[1] = unix.AF_INET, unix.IPPROTO_TCP
	if local.Addr().Is6() {
		diag[0] = unix.AF_INET6
	}
	native.PutUint32(diag[4:], ^uint32(0)) // in any state
	binary.BigEndian.PutUint16(diag[8:], local.Port())
	binary.BigEndian.PutUint16(diag[10:], remote.Port())
	copy(diag[12:28], local.Addr().AsSlice())
	copy(diag[28:44], remote.Addr().AsSlice())
	native.PutUint64(diag[48:], ^uint64(0)) // any cookie

	s, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return 0, err
	}
	defer unix.Close(s)
	if err := unix.SetsockoptTimeval(s, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 1}); err != nil {
		return 0, err
	}
	if err := unix.Sendto(s, req, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return 0, err
	}
	buf := make([]byte, 4096)
	n, _, err := unix.Recvfrom(s, buf, 0)
	if err != nil {
		return 0, err
	}
	if n < unix.SizeofNlMsghdr+4 {
		return 0, errors.New("the response of the kernel is too short")
	}
	body := buf[unix.SizeofNlMsghdr:n]
	switch kind := native.Uint16(buf[4:]); {
	case kind == unix.NLMSG_ERROR:
		errno := unix.Errno(-int32(native.Uint32(body)))
		if errno == unix.ENOENT {
			return 0, errNoPeer
		}
		return 0, errno
	case kind != unix.SOCK_DIAG_BY_FAMILY || len(body) < diagMessage:
		return 0, fmt.Errorf("the response of the kernel has type %d and %d bytes", kind, n)
	case native.Uint32(body[diagInode:]) == 0: // the socket is closed; the kernel then returns UID 0
		return 0, errNoPeer
	}
	return int(native.Uint32(body[diagUID:])), nil
}

// canIdentifyPeers reports whether this system can identify the user at the other end of a connection. It checks this
// with a test connection, because not every kernel and sandbox supports it.
func canIdentifyPeers() bool {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return false
	}
	defer l.Close()
	c, err := net.Dial("tcp4", l.Addr().String())
	if err != nil {
		return false
	}
	defer c.Close()
	uid, err := socketOwner(addrPort(c.LocalAddr()), addrPort(c.RemoteAddr()))
	return err == nil && uid == os.Geteuid()
}
