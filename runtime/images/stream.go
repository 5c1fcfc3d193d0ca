package images

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"unicode"

	"github.com/docker/docker/pkg/jsonmessage"
)

// maxMessage is the most that one message of the engine may hold, in bytes. BuildKit puts many log lines into one.
const maxMessage = 16 << 20

// messages reads the engine's stream of progress messages and calls f for each, until the stream or f ends it.
func messages(r io.Reader, f func(jsonmessage.JSONMessage) error) error {
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 0, 64<<10), maxMessage)
	for s.Scan() {
		line := s.Bytes()
		if len(strings.TrimSpace(string(line))) == 0 {
			continue
		}
		var m jsonmessage.JSONMessage
		if err := json.Unmarshal(line, &m); err != nil {
			return errors.Join(errForeign, err)
		}
		if err := f(m); err != nil {
			return err
		}
	}
	return s.Err()
}

// errForeign is a stream that no engine writes.
var errForeign = errors.New("the engine's answer is not a stream of messages")

// tail keeps the last lines of an output that comes in pieces.
type tail struct {
	lines   []string
	partial strings.Builder
}

// The bounds of a tail: lines, and bytes of a line.
const (
	tailLines = 20
	lineBytes = 2000
)

// write takes a piece of output and gives the lines that it completes, without what could act on a terminal.
func (t *tail) write(piece string) (complete []string) {
	for {
		line, rest, ended := strings.Cut(piece, "\n")
		if room := 4*lineBytes - t.partial.Len(); room > 0 {
			t.partial.WriteString(line[:min(room, len(line))])
		}
		if !ended {
			return complete
		}
		complete = append(complete, t.end())
		piece = rest
	}
}

// end completes a line.
func (t *tail) end() string {
	line := clean(t.partial.String())
	t.partial.Reset()
	if strings.TrimSpace(line) != "" {
		t.lines = append(t.lines, line)
		if len(t.lines) > tailLines {
			t.lines = t.lines[1:]
		}
	}
	return line
}

// last gives the lines kept, with one that was not ended.
func (t *tail) last() []string {
	if t.partial.Len() > 0 {
		t.end()
	}
	return append([]string(nil), t.lines...)
}

// clean makes untrusted text safe for a terminal and short: escape sequences and control characters go, and of a line
// that was redrawn with carriage returns only its last form stays.
func clean(s string) string {
	s = strings.TrimRight(s, "\r\n")
	if i := strings.LastIndexByte(s, '\r'); i >= 0 {
		s = s[i+1:]
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		if s[i] == 0x1b {
			i += escape(s[i:])
			continue
		}
		r, size := decode(s[i:])
		i += size
		if r == '\t' {
			b.WriteString("    ")
		} else if unicode.IsPrint(r) {
			b.WriteRune(r)
		}
		if b.Len() >= lineBytes {
			return b.String() + "..."
		}
	}
	return b.String()
}
