package view

import (
	"fmt"
	"strconv"
	"time"

	"github.com/mattn/go-runewidth"
)

// frames are the characters of the spinner.
const frames = "|/-\\"

// start starts the ticker of the live line. The caller holds the lock.
func (p *progress) start() {
	if p.stop != nil {
		return
	}
	stop := make(chan struct{})
	p.stop = stop
	go func() {
		ticker := time.NewTicker(frameInterval)
		defer ticker.Stop()
		for {
			select {
			case <-stop:
				return
			case <-ticker.C:
				p.mu.Lock()
				if p.stop == stop {
					p.frame++
					p.draw()
				}
				p.mu.Unlock()
			}
		}
	}()
}

// stopTicker stops the ticker and erases the live line. The caller holds the lock.
func (p *progress) stopTicker() {
	p.erase()
	if p.stop != nil {
		close(p.stop)
		p.stop = nil
	}
}

// draw writes the live line, truncated to the width of the terminal. The caller holds the lock.
func (p *progress) draw() {
	if !p.live || p.paused || len(p.steps) == 0 {
		return
	}
	s := p.steps[0]
	tail := ""
	if p.count != "" {
		tail += " " + p.count
	}
	if n := len(p.steps) - 1; n > 0 {
		tail += " (+" + strconv.Itoa(n) + ")"
	}
	if d := time.Since(s.started); d >= time.Second {
		tail += " " + seconds(d)
	}
	width := p.v.Width
	if width <= 0 {
		width = 80
	}
	room := width - 1 - 2 - runewidth.StringWidth(tail)
	text := s.text
	if displayWidth(text) > room {
		text = runewidth.Truncate(stripColors(text), max(room, 4), "...")
	}
	fmt.Fprintf(p.v.Err, "\r\x1b[K%c %s%s", frames[p.frame%len(frames)], text, tail)
	p.drawn = true
}

// erase removes the live line from the screen. The caller holds the lock.
func (p *progress) erase() {
	if p.drawn {
		fmt.Fprint(p.v.Err, "\r\x1b[K")
		p.drawn = false
	}
}

// endProgress removes the live line permanently, before a result or an error is shown.
func (v *View) endProgress() {
	if p := v.progress; p != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.steps = nil
		p.stopTicker()
	}
}

// pause hides the live line while a question is on the screen. The returned function shows it again.
func (v *View) pause() (resume func()) {
	p := v.progress
	if p == nil {
		return func() {}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.erase()
	p.paused = true
	since := time.Now()
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.paused = false
		for _, s := range p.steps { // the duration of a step does not include the time that the user needs to answer
			s.started = s.started.Add(time.Since(since))
		}
		p.draw()
	}
}
