package view

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/mattn/go-runewidth"

	"fn-runtime/i18n"
	"fn-runtime/runtime/site"
	"fn-runtime/runtime/text"
)

// Pace of the live line, and of the lines that stand for it where there is no terminal.
const (
	frameEvery = 100 * time.Millisecond
	lineEvery  = 5 * time.Second
)

// progress implements site.Observer. In a terminal one live line at the bottom shows the oldest step that runs, its
// counts and how long it has taken; a step that has ended stays above it as a line. Elsewhere each step is a line when
// it begins, and its counts a line every few seconds.
//
// It is our own because a bar library (mpb, progressbar) draws bars of known length that own the terminal, and what is
// wanted is the guide's "Doing X..." lines with a spinner, mixed with warnings and questions.
type progress struct {
	v      *View
	live   bool
	mu     sync.Mutex
	steps  []*step   // that run, oldest first
	count  string    // rendered counts of the current step
	from   int64     // of which the counts began
	begun  time.Time // when they did
	said   time.Time // when counts were last written as a line
	drawn  bool      // the live line is on the screen
	paused bool      // a question has the screen
	frame  int
	stop   chan struct{} // ends the ticker; nil when it does not run
}

type step struct {
	text  string
	begun time.Time
}

// Observer returns what the operations report their progress to.
func (v *View) Observer() site.Observer {
	if v.progress == nil {
		v.progress = &progress{v: v, live: v.ErrTTY && !v.Dumb && !v.JSON && !v.Quiet}
	}
	return v.progress
}

func (p *progress) silent() bool { return p.v.JSON || p.v.Quiet }

// Begin starts a step; the three dots of the guide are added to a text that has none.
func (p *progress) Begin(m i18n.Message) func(error) {
	if p.silent() {
		return func(error) {}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	s := &step{text: strings.TrimSuffix(p.v.errText(m), "...") + "...", begun: time.Now()}
	p.steps = append(p.steps, s)
	if len(p.steps) == 1 {
		p.count, p.said = "", s.begun
	}
	if p.live {
		p.start()
		p.draw()
	} else {
		fmt.Fprintln(p.v.Err, s.text)
	}
	var once sync.Once
	return func(error) { once.Do(func() { p.end(s) }) }
}

func (p *progress) end(s *step) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, other := range p.steps {
		if other == s {
			p.steps = append(p.steps[:i], p.steps[i+1:]...)
			if p.live {
				p.erase()
				p.v.err().prose(s.text + took(time.Since(s.begun)))
			}
		}
	}
	if len(p.steps) == 0 {
		p.count = ""
		p.halt()
		return
	}
	p.draw()
}

// took is worth saying from a second on.
func took(d time.Duration) string {
	if d < time.Second {
		return ""
	}
	return " (" + duration(d) + ")"
}

// Progress sets the counts of the current step. One thing of which nothing is known but whether it is done is no count.
func (p *progress) Progress(done, total int64, unit string) {
	if p.silent() || total <= 1 && done <= 1 && unit == "" {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if p.count == "" { // what was done before anybody looked says nothing of the pace
		p.from, p.begun = done, now
	}
	p.count = counts(done, total, unit, done-p.from, now.Sub(p.begun))
	if p.live {
		p.count = bar(done, total) + p.count
	}
	switch {
	case p.live:
		p.draw()
	case now.Sub(p.said) >= lineEvery:
		p.said = now
		fmt.Fprintln(p.v.Err, "   "+p.count)
	}
}

// Note says something that matters but stops nothing.
func (p *progress) Note(m i18n.Message) {
	if !p.silent() {
		p.say(p.v.errText(m))
	}
}

// Warn says something that the user should act on. It goes to Err even with JSON and Quiet.
func (p *progress) Warn(m i18n.Message) {
	head := p.v.Texts.Say(i18n.M("WARNING:"))
	p.say(paint(p.v.ErrColour, warning, head) + " " + p.v.errText(m))
}

// say writes prose above the live line.
func (p *progress) say(text string) { p.above(func() { p.v.err().prose(text) }) }

// line writes a line as it is above the live line.
func (p *progress) line(text string) { p.above(func() { fmt.Fprintln(p.v.Err, text) }) }

func (p *progress) above(write func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.erase()
	write()
	p.draw()
}

// lineWriter writes whole lines of untrusted text between the live line's frames.
type lineWriter struct {
	v    *View
	mu   sync.Mutex
	rest []byte
}

// maxLine bounds a line that never ends.
const maxLine = 8 << 10

func (w *lineWriter) Write(data []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rest = append(w.rest, data...)
	for {
		i := bytes.IndexByte(w.rest, '\n')
		if i < 0 && len(w.rest) > maxLine {
			i = maxLine
		}
		if i < 0 {
			return len(data), nil
		}
		w.v.Observer().(*progress).line(text.Printable(text.StripUserInfo(string(bytes.TrimRight(w.rest[:i], "\r")))))
		w.rest = bytes.TrimPrefix(w.rest[i:], []byte("\n"))
	}
}

// Detail shows a line of the process's own output: in a terminal at the end of the live line until the next one comes,
// elsewhere as a line.
func (w *lineWriter) Detail(line string) {
	p := w.v.Observer().(*progress)
	line = text.Printable(text.StripUserInfo(line))
	if !p.live {
		p.line(line)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.count = runewidth.Truncate(strings.TrimSpace(line), max(20, w.v.Width/2), "...")
	p.draw()
}

var _ io.Writer = (*lineWriter)(nil)
