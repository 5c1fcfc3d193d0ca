//go:build !linux

package sandbox

import "time"

// Meter knows nothing here.
type Meter struct{}

// Read returns that nothing is known.
func (*Meter) Read([]int) (wanted time.Duration, known bool) { return 0, false }

// Descendants are not known here.
func Descendants(int) []int { return nil }
