//go:build unix

package main

import (
	"os"
	"syscall"
)

// peak returns the maximum memory, in bytes, of a process that has ended.
func peak(ended *os.ProcessState) int64 {
	if usage, ok := ended.SysUsage().(*syscall.Rusage); ok {
		return usage.Maxrss << 10 // Linux counts in KiB
	}
	return 0
}
