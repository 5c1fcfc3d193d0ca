package sandbox

import (
	"strings"
	"testing"
	"time"
)

// The limit includes the time and the stream name of each line. Otherwise an action that prints empty lines could fill
// the memory and the disk space that all activation records share.
func TestLogLimitIncludesLinePrefixes(t *testing.T) {
	const limit = 10_000
	l := NewLogs(time.Now, limit)
	l.Follow("stdout", strings.NewReader(strings.Repeat("\n", 2*limit)))
	l.Wait(t.Context())
	kept := 0
	for _, line := range l.Take() {
		kept += len(line)
	}
	if kept > limit+200 { // 200 bytes for the notice that the log was truncated
		t.Errorf("the log holds %d bytes, want at most %d", kept, limit)
	}
}
