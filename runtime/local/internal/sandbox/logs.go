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

// Sentinel ends the log of an activation on each of both streams. Source: OpenWhisk, docs/actions-new.md.
const Sentinel = "XXX_THE_END_OF_A_WHISK_ACTIVATION_XXX"

// maxLine is where a line without an end is broken.
const maxLine = 64 << 10

// Logs collects the output of a sandbox, activation by activation.
type Logs struct {
	now     func() time.Time
	limit   int
	mu      sync.Mutex
	lines   []string
	size    int
	over    bool
	streams map[string]*stream
	changed chan struct{} // closed and made anew at each sentinel and end of a stream
}

type stream struct{ ended, closed bool }

// NewLogs makes an empty log; limit is in bytes of what is kept. As in OpenWhisk, the time and stream before the text of
// each line count: empty lines would else be kept forty times as large as they count.
func NewLogs(now func() time.Time, limit int) *Logs {
	return &Logs{now: now, limit: limit, streams: map[string]*stream{}, changed: make(chan struct{})}
}

// Follow reads a stream, "stdout" or "stderr", to its end in a goroutine of its own.
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

func (l *Logs) add(name string, s *stream, text []byte) {
	text = bytes.TrimRight(text, "\r\n")
	if rest, ok := bytes.CutSuffix(text, []byte(Sentinel)); ok {
		// What came before it on the same line was printed without a line end.
		if len(rest) > 0 {
			l.keep(name, rest)
		}
		l.signal(func() { s.ended = true })
		return
	}
	l.keep(name, text)
}

func (l *Logs) keep(name string, text []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	line := l.line(name, strings.ToValidUTF8(string(text), "\uFFFD"))
	if l.size += len(line); l.size <= l.limit {
		l.lines = append(l.lines, line)
		return
	}
	if !l.over {
		l.over = true
		l.lines = append(l.lines, l.line("stderr", fmt.Sprintf("Logs were truncated because the total bytes size exceeds the limit of %d bytes.", l.limit)))
	}
}

// line is the form of OpenWhisk's log lines.
func (l *Logs) line(name, text string) string {
	return l.now().UTC().Format("2006-01-02T15:04:05.000000000Z") + " " + name + ": " + text
}

// Note adds a line of the invoker's own to standard error.
func (l *Logs) Note(text string) { l.keep("stderr", []byte(text)) }

func (l *Logs) signal(change func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change()
	close(l.changed)
	l.changed = make(chan struct{})
}

// Wait returns when each stream has had its sentinel or is at its end, or when ctx ends. It tells whether the log is
// complete.
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

// Take returns the lines so far and begins the log of the next activation.
func (l *Logs) Take() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	lines := l.lines
	l.lines, l.size, l.over = nil, 0, false
	for _, s := range l.streams {
		s.ended = false
	}
	return lines
}
