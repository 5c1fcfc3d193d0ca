//go:build !linux

package local

import (
	"errors"
	"net/netip"
)

// peersAreKnown reports false: no call that this program could make without C tells whose a socket is.
func peersAreKnown() bool { return false }

func socketOwner(netip.AddrPort, netip.AddrPort) (int, error) { return 0, errors.ErrUnsupported }
