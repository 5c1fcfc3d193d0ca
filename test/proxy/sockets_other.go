//go:build !unix

package proxy

import "net"

// listen listens on loopback.
func listen(address string) (net.Listener, error) { return net.Listen("tcp", address) }

// keep does nothing here: a port on which nobody listens refuses, and may be taken by somebody else.
func keep(*net.TCPAddr) (free func(), err error) { return func() {}, nil }
