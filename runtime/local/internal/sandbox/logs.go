package sandbox

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// Sentinel is the line that ends the log of an activation, on both streams. Source: OpenWhisk, docs/actions-new.md.
const Sentinel = "XXX_THE_END_OF_A_WHISK_ACTIVATION_XXX"

// maxLine is the length at which a line is split, in bytes.
const maxLine = 64 << 10

// Logs collects the output of a sandbox, one activation at a time.
type Logs struct {
	now       func() time.Time
	limit     int
	mu        sync.Mutex
	lines     []string
	size      int
	truncated bool
	streams   map[string]*stream
	changed   chan struct{} // closed and replaced at each sentinel and at the end of a stream
}

// stream is the state of stdout or stderr.
type stream struct {
	ended  bool // the sentinel of the current activation has been read
	closed bool // end of file
}

// NewLogs returns an empty log that holds at most limit bytes for each activation. As in OpenWhisk, the time and the
// stream name before the text of each line count toward the limit: an empty line occupies about 40 bytes.
func NewLogs(now func() time.Time, limit int) *Logs {
	return &Logs{now: now, limit: limit, streams: map[string]*stream{}, changed: make(chan struct{})}
}

// Follow starts a goroutine that reads a stream, "stdout" or "stderr", to its end.
func (l *Logs) Follow(name string, r io.Reader) {
	l.mu.Lock()
	s := &stream{}
	l.streams[name] = s
	l.mu.Unlock()
	go func() {
		b := bufio.NewReaderSize(r, maxLine)
		for {
			text, err := b.ReadSlice('\n')
			if len(text) > 0 {
				l.add(name, s, text)
			}
			if err != nil && err != bufio.ErrBufferFull {
				break
			}
		}
		l.signal(func() { s.closed = true })
	}()
}

// add appends a line as it was read, or ends the log of the activation on this stream if the line is the sentinel.
func (l *Logs) add(name string, s *stream, text []byte) {
	text = bytes.TrimRight(text, "\r\n")
	if rest, ok := bytes.CutSuffix(text, []byte(Sentinel)); ok {
		// The action's last line had no line end, so the sentinel is on the same line.
		if len(rest) > 0 {
			l.append(name, rest)
		}
		l.signal(func() { s.ended = true })
		return
	}
	l.append(name, text)
}

// append adds a line unless the limit is reached. The first line beyond the limit is replaced by a notice.
func (l *Logs) append(name string, text []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	line := l.line(name, strings.ToValidUTF8(string(text), "\uFFFD"))
	if l.size += len(line); l.size <= l.limit {
		l.lines = append(l.lines, line)
		return
	}
	if !l.truncated {
		l.truncated = true
		l.lines = append(l.lines, l.line("stderr", fmt.Sprintf("Logs were truncated because the total bytes size exceeds the limit of %d bytes.", l.limit)))
	}
}

// line formats a log line as OpenWhisk does: time, stream, text.
func (l *Logs) line(name, text string) string {
	return l.now().UTC().Format("2006-01-02T15:04:05.000000000Z") + " " + name + ": " + text
}

// Note adds a message of the invoker to stderr.
func (l *Logs) Note(text string) { l.append("stderr", []byte(text)) }

// signal applies a change to a stream and wakes up Wait.
func (l *Logs) signal(change func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change()
	close(l.changed)
	l.changed = make(chan struct{})
}

// Wait returns when each stream has delivered its sentinel or has reached its end, or when ctx ends. It reports whether
// the log is complete, which means that both sentinels have been read.
func (l *Logs) Wait(ctx context.Context) bool {
	for {
		l.mu.Lock()
		done, complete := true, true
		for _, s := range l.streams {
			done = done && (s.ended || s.closed)
			complete = complete && s.ended
		}
		changed := l.changed
		l.mu.Unlock()
		if done {
			return complete
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}

// Take returns the collected lines and starts the log of the next activation.
func (l *Logs) Take() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	lines := l.lines
	l.lines, l.size, l.truncated = nil, 0, false
	for _, s := range l.streams {
		s.ended = false
	}
	return lines
}
