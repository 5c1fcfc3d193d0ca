//go:build unix

package main

import (
	"os"
	"syscall"
)

// peak returns how many bytes of memory a process that has ended had at its highest.
func peak(ended *os.ProcessState) int64 {
	if usage, ok := ended.SysUsage().(*syscall.Rusage); ok {
		return usage.Maxrss << 10 // Linux counts in KiB
	}
	return 0
}
