package images

import (
	"io"
	"sync"
)

// printer writes progress: whole lines, and on a terminal one status line that is redrawn below them.
type printer struct {
	mu     sync.Mutex
	w      io.Writer
	live   bool
	status string // shown now
}

func newPrinter(w io.Writer, live bool) *printer {
	if w == nil {
		w, live = io.Discard, false
	}
	return &printer{w: w, live: live}
}

// eraseLine goes to the start of the line and clears it.
const eraseLine = "\r\x1b[K"

// line prints one line of text that clean has been applied to.
func (p *printer) line(s string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	text := s + "\n"
	if p.status != "" {
		text = eraseLine + text + p.status
	}
	_, _ = io.WriteString(p.w, text)
}

// show replaces the status line; without a terminal nothing is shown.
func (p *printer) show(status string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.live || status == p.status {
		return
	}
	p.status = status
	_, _ = io.WriteString(p.w, eraseLine+status)
}

// close takes the status line away.
func (p *printer) close() { p.show("") }
