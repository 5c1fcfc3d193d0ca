//go:build !linux

package local

// holder returns "": no call that this program could make without C tells who listens on a port.
func holder(int) string { return "" }
