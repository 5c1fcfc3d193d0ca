package images

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"sync"

	"github.com/docker/docker/pkg/jsonmessage"

	"fn-runtime/runtime/text"
)

// maxMessage is the maximum size of an engine's message in bytes. BuildKit puts many log lines into one message.
const maxMessage = 16 << 20

// readMessages reads the engine's stream of progress messages and calls f for each, until the stream ends or f returns
// an error.
func readMessages(r io.Reader, f func(jsonmessage.JSONMessage) error) error {
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 0, 64<<10), maxMessage)
	for s.Scan() {
		line := s.Bytes()
		if len(strings.TrimSpace(string(line))) == 0 {
			continue
		}
		var m jsonmessage.JSONMessage
		if err := json.Unmarshal(line, &m); err != nil {
			return errors.Join(errNotMessages, err)
		}
		if err := f(m); err != nil {
			return err
		}
	}
	return s.Err()
}

// errNotMessages is returned for a stream that an engine would not send.
var errNotMessages = errors.New("the engine's response is not a stream of messages")

// tail keeps the last lines of an output that arrives in pieces.
type tail struct {
	lines   []string
	partial strings.Builder
}

// The limits of a tail: number of lines, and bytes per line.
const (
	tailLines = 20
	lineBytes = 2000
)

// write appends a piece of output and returns the lines that it completes, sanitized for a terminal.
func (t *tail) write(piece string) (complete []string) {
	for {
		line, rest, ended := strings.Cut(piece, "\n")
		if room := 4*lineBytes - t.partial.Len(); room > 0 {
			t.partial.WriteString(line[:min(room, len(line))])
		}
		if !ended {
			return complete
		}
		complete = append(complete, t.flush())
		piece = rest
	}
}

// flush completes a line.
func (t *tail) flush() string {
	line := sanitize(t.partial.String())
	t.partial.Reset()
	if strings.TrimSpace(line) != "" {
		t.lines = append(t.lines, line)
		if len(t.lines) > tailLines {
			t.lines = t.lines[1:]
		}
	}
	return line
}

// last returns the kept lines, including an incomplete one.
func (t *tail) last() []string {
	if t.partial.Len() > 0 {
		t.flush()
	}
	return append([]string(nil), t.lines...)
}

// sanitize returns the final state of a line that was redrawn with carriage returns. It removes colors and other
// control sequences, and shortens the line.
func sanitize(s string) string {
	s = strings.TrimRight(s, "\r\n")
	s = s[strings.LastIndexByte(s, '\r')+1:]
	var b strings.Builder
	for i := 0; i < len(s); {
		if s[i] == 0x1b {
			i += escapeLen(s[i:])
			continue
		}
		b.WriteByte(s[i])
		i++
	}
	s = text.Printable(strings.ReplaceAll(b.String(), "\t", "    "))
	if len(s) > lineBytes {
		return strings.ToValidUTF8(s[:lineBytes], "") + "..."
	}
	return s
}

// escapeLen returns the length of the terminal escape sequence at the start of s (ECMA-48: CSI up to its final byte,
// OSC and other strings up to BEL or ST, else two bytes).
func escapeLen(s string) int {
	if len(s) < 2 {
		return len(s)
	}
	switch s[1] {
	case '[':
		for i := 2; i < len(s); i++ {
			if s[i] >= 0x40 && s[i] <= 0x7e {
				return i + 1
			}
		}
		return len(s)
	case ']', 'P', 'X', '^', '_':
		if i := strings.IndexByte(s, '\a'); i >= 0 {
			return i + 1
		}
		if i := strings.Index(s[2:], "\x1b\\"); i >= 0 {
			return i + 4
		}
		return len(s)
	}
	return 2
}

// printer writes progress in whole lines. It is safe for concurrent use.
type printer struct {
	mu sync.Mutex
	w  io.Writer
}

func newPrinter(w io.Writer) *printer {
	if w == nil {
		w = io.Discard
	}
	return &printer{w: w}
}

// detail prints an output line of a step. If the writer has a Detail method, the writer decides how long the line stays
// visible: later output is more informative, and the fault of a failed step contains its last lines anyway.
func (p *printer) detail(s string) {
	if w, ok := p.w.(interface{ Detail(line string) }); ok {
		w.Detail(s)
		return
	}
	p.line(s)
}

// line prints one sanitized line.
func (p *printer) line(s string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, _ = io.WriteString(p.w, s+"\n")
}
