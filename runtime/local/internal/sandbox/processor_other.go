//go:build !linux

package sandbox

import "time"

// Meter is not supported on this system.
type Meter struct{}

// Read returns false: the CPU demand is unknown.
func (*Meter) Read([]int) (demand time.Duration, known bool) { return 0, false }

// Descendants returns nil: the process tree is unknown on this system.
func Descendants(int) []int { return nil }
