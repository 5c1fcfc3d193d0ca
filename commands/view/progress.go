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

// Update intervals of the live line in a terminal, and of the lines with counts without a terminal.
const (
	frameInterval = 100 * time.Millisecond
	lineInterval  = 5 * time.Second
)

// progress implements site.Observer. In a terminal, one live line at the bottom shows the oldest running step, its
// counts and the elapsed time. When a step ends, it remains above the live line as a normal line. Without a terminal,
// each step writes a line when it starts, and a line with its counts every few seconds.
//
// The IBM Cloud CLI guide requires "Doing X..." lines with a spinner, between which warnings and questions appear. A
// progress bar library (mpb, progressbar) is not suitable, because it draws bars of known length and requires exclusive
// use of the terminal.
type progress struct {
	v          *View
	live       bool
	mu         sync.Mutex
	steps      []*step   // running steps, oldest first
	count      string    // formatted counts of the current step
	firstCount int64     // value of the first count
	countStart time.Time // time of the first count
	lastLine   time.Time // when counts were last written as a line
	drawn      bool      // the live line is on the screen
	paused     bool      // a question is on the screen
	frame      int
	stop       chan struct{} // closed to stop the ticker; nil if the ticker is not running
}

type step struct {
	text    string
	started time.Time
}

// Observer returns the observer to which operations report their progress.
func (v *View) Observer() site.Observer {
	if v.progress == nil {
		v.progress = &progress{v: v, live: v.ErrTTY && !v.Dumb && !v.JSON && !v.Quiet}
	}
	return v.progress
}

// silent reports whether progress is not shown.
func (p *progress) silent() bool { return p.v.JSON || p.v.Quiet }

// Begin starts a step. It adds the three dots that the guide requires if the text does not end with them.
func (p *progress) Begin(m i18n.Message) func(error) {
	if p.silent() {
		return func(error) {}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	s := &step{text: strings.TrimSuffix(p.v.errText(m), "...") + "...", started: time.Now()}
	p.steps = append(p.steps, s)
	if len(p.steps) == 1 {
		p.count, p.lastLine = "", s.started
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

// end removes a step and, in a terminal, writes it as a line above the live line.
func (p *progress) end(s *step) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, other := range p.steps {
		if other == s {
			p.steps = append(p.steps[:i], p.steps[i+1:]...)
			if p.live {
				p.erase()
				p.v.err().prose(s.text + elapsedText(time.Since(s.started)))
			}
		}
	}
	if len(p.steps) == 0 {
		p.count = ""
		p.stopTicker()
		return
	}
	p.draw()
}

// elapsedText returns the duration of a step in parentheses. It returns "" if the step took less than a second.
func elapsedText(d time.Duration) string {
	if d < time.Second {
		return ""
	}
	return " (" + duration(d) + ")"
}

// Progress sets the counts of the current step. It ignores counts of at most one item without a unit, because they
// carry no information.
func (p *progress) Progress(done, total int64, unit string) {
	if p.silent() || total <= 1 && done <= 1 && unit == "" {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if p.count == "" { // the rate does not include what was done before the first report
		p.firstCount, p.countStart = done, now
	}
	p.count = counts(done, total, unit, done-p.firstCount, now.Sub(p.countStart))
	if p.live {
		p.count = bar(done, total) + p.count
	}
	switch {
	case p.live:
		p.draw()
	case now.Sub(p.lastLine) >= lineInterval:
		p.lastLine = now
		fmt.Fprintln(p.v.Err, "   "+p.count)
	}
}

// Note prints information that does not require an action.
func (p *progress) Note(m i18n.Message) {
	if !p.silent() {
		p.printProse(p.v.errText(m))
	}
}

// Warn prints a warning that the user should act on. It writes to Err even with JSON and Quiet.
func (p *progress) Warn(m i18n.Message) {
	head := p.v.Texts.Translate(i18n.M("WARNING:"))
	p.printProse(paint(p.v.ErrColor, warning, head) + " " + p.v.errText(m))
}

// printProse writes wrapped text above the live line.
func (p *progress) printProse(text string) { p.writeAbove(func() { p.v.err().prose(text) }) }

// printLine writes a line above the live line without wrapping it.
func (p *progress) printLine(text string) { p.writeAbove(func() { fmt.Fprintln(p.v.Err, text) }) }

// writeAbove calls write, which writes to Err, while the live line is erased.
func (p *progress) writeAbove(write func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.erase()
	write()
	p.draw()
}

// lineWriter writes complete lines of untrusted text above the live line.
type lineWriter struct {
	v    *View
	mu   sync.Mutex
	rest []byte
}

// maxLine is the maximum length of a line in bytes. lineWriter breaks longer lines.
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
		w.v.Observer().(*progress).printLine(text.Printable(text.StripUserInfo(string(bytes.TrimRight(w.rest[:i], "\r")))))
		w.rest = bytes.TrimPrefix(w.rest[i:], []byte("\n"))
	}
}

// Detail shows a line of the output of the process. In a terminal, the text appears at the end of the live line until
// the next one replaces it. Without a terminal, it is written as a separate line.
func (w *lineWriter) Detail(line string) {
	p := w.v.Observer().(*progress)
	line = text.Printable(text.StripUserInfo(line))
	if !p.live {
		p.printLine(line)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.count = runewidth.Truncate(strings.TrimSpace(line), max(20, w.v.Width/2), "...")
	p.draw()
}

var _ io.Writer = (*lineWriter)(nil)
