package view

import (
	"fmt"
	"strconv"
	"time"

	"github.com/mattn/go-runewidth"
)

// frames of the spinner.
const frames = "|/-\\"

// start runs the ticker of the live line. The lock is held.
func (p *progress) start() {
	if p.stop != nil {
		return
	}
	stop := make(chan struct{})
	p.stop = stop
	go func() {
		ticker := time.NewTicker(frameEvery)
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

// halt ends the ticker and takes the live line away. The lock is held.
func (p *progress) halt() {
	p.erase()
	if p.stop != nil {
		close(p.stop)
		p.stop = nil
	}
}

// draw writes the live line, cut to the terminal's width. The lock is held.
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
	if d := time.Since(s.begun); d >= time.Second {
		tail += " " + seconds(d)
	}
	width := p.v.Width
	if width <= 0 {
		width = 80
	}
	room := width - 1 - 2 - runewidth.StringWidth(tail)
	text := s.text
	if printed(text) > room {
		text = runewidth.Truncate(bare(text), max(room, 4), "...")
	}
	fmt.Fprintf(p.v.Err, "\r\x1b[K%c %s%s", frames[p.frame%len(frames)], text, tail)
	p.drawn = true
}

func (p *progress) erase() {
	if p.drawn {
		fmt.Fprint(p.v.Err, "\r\x1b[K")
		p.drawn = false
	}
}

// endProgress takes the live line away for good: an answer or an error follows.
func (v *View) endProgress() {
	if p := v.progress; p != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.steps = nil
		p.halt()
	}
}

// pause gives the screen to a question, until the function returned is called.
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
		for _, s := range p.steps { // what somebody thinks about is not what the step takes
			s.begun = s.begun.Add(time.Since(since))
		}
		p.draw()
	}
}
