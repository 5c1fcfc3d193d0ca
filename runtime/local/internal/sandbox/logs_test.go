package sandbox

import (
	"strings"
	"testing"
	"time"
)

// An action that prints empty lines must not fill the memory, nor the space of everybody's records: what is kept of a
// line is its time and stream too.
func TestTheLimitCountsWhatIsKept(t *testing.T) {
	const limit = 10_000
	l := NewLogs(time.Now, limit)
	l.Follow("stdout", strings.NewReader(strings.Repeat("\n", 2*limit)))
	l.Wait(t.Context())
	kept := 0
	for _, line := range l.Take() {
		kept += len(line)
	}
	if kept > limit+200 { // and the line that says so
		t.Errorf("%d bytes are kept of a limit of %d", kept, limit)
	}
}
