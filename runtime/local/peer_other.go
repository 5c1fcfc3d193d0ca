//go:build !linux

package local

import (
	"errors"
	"net/netip"
)

// canIdentifyPeers returns false: on this system, finding the owner of a socket requires C libraries.
func canIdentifyPeers() bool { return false }

// socketOwner returns errors.ErrUnsupported.
func socketOwner(netip.AddrPort, netip.AddrPort) (int, error) { return 0, errors.ErrUnsupported }
