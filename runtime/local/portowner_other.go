//go:build !linux

package local

// portOwner returns "": on this system, finding the process that listens on a port requires C libraries.
func portOwner(int) string { return "" }
