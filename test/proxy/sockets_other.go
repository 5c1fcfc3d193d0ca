//go:build !unix

package proxy

import "net"

// listen listens on loopback.
func listen(address string) (net.Listener, error) { return net.Listen("tcp", address) }

// reserve does nothing here: a port without a listener refuses connections, but another process may take it.
func reserve(*net.TCPAddr) (free func(), err error) { return func() {}, nil }
