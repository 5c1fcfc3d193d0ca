package dashboard

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"fn-runtime/runtime/entity"
)

// perChunk is how many lanes are drawn, and read by the page, at once.
const perChunk = 200

// slowestMarked is how many of the slowest calls carry a mark in the timeline.
const slowestMarked = 5

// timeline is a job as a picture: a lane a call, in the order of the calls.
type timeline struct {
	Axis  axis
	Calls []entity.Call
	Lane  int // height of a lane in pixels
	now   time.Time
	order []int        // lanes, the first of all is 0, in the order of the table: failed calls first, then the slowest
	slow  map[int]bool // lanes of the slowest calls
}

// newTimeline lays out the calls of a job as they are at a time. Calls are in the order of their lanes.
func newTimeline(calls []entity.Call, now time.Time) timeline {
	t := timeline{Calls: calls, now: now, Lane: 5, slow: map[int]bool{}}
	switch n := len(calls); {
	case n <= 40:
		t.Lane = 14
	case n <= 400:
		t.Lane = 8
	}
	from, to := now, time.Time{}
	for _, c := range calls {
		for _, at := range []time.Time{c.Submitted, c.Started} {
			if !at.IsZero() && at.Before(from) {
				from = at
			}
		}
		if end := first(c.Ended, now); end.After(to) {
			to = end
		}
	}
	t.sort()
	t.Axis = newAxis(from, to)
	return t
}

// sort finds the order of the table, and the slowest calls.
func (t *timeline) sort() {
	took := make([]time.Duration, len(t.Calls))
	t.order = make([]int, len(t.Calls))
	for i, c := range t.Calls {
		t.order[i], took[i] = i, c.Duration(t.now)
	}
	slices.SortStableFunc(t.order, func(a, b int) int { return cmp.Compare(took[b], took[a]) })
	if len(t.Calls) > 2*slowestMarked {
		for _, i := range t.order[:slowestMarked] {
			t.slow[i] = true
		}
	}
	failed := func(i int) int {
		if t.Calls[i].State == entity.CallFailed {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(t.order, func(a, b int) int { return failed(a) - failed(b) })
}

// chunk is a part of the lanes. A path has one kind of phase of all its calls, so that it is one thing for the browser to
// draw, however many they are.
type chunk struct {
	First, Last int // lanes, the first of all is 1
	Lane        int // height of a lane in units
	Width       int // of the drawing, in units
	Height      int // of the drawing, in units
	Shown       int // height in pixels
	Ticks       []tick
	Waiting     string // a thin line
	Cold        string // a frame
	Running     string // a bar that ends in a point
	Done        string // a bar
	Failed      string // a bar, and
	Crosses     string // a cross at its end
	Slowest     []slowMark
}

// slowMark names a slow call at the end of its bar.
type slowMark struct {
	X, Y  float64 // percent of the drawing
	Left  bool    // the text ends there
	Label string
}

// chunks returns the places of all lanes, without a picture.
func (t timeline) chunks() []chunk {
	var all []chunk
	for from := 0; from < len(t.Calls); from += perChunk {
		to := min(from+perChunk, len(t.Calls))
		all = append(all, t.place(from+1, to))
	}
	return all
}

func (t timeline) place(from, to int) chunk {
	height := (to - from + 1) * t.Lane
	return chunk{First: from, Last: to, Lane: t.Lane, Width: width, Height: height, Shown: height, Ticks: t.Axis.Ticks}
}

// draw draws lanes; the first of all is 1.
func (t timeline) draw(from, to int, duration func(time.Duration) string) chunk {
	c := t.place(from, to)
	var waiting, cold, running, done, failed, crosses strings.Builder
	h := float64(t.Lane)
	for i, call := range t.Calls[from-1 : to] {
		y := float64(i) * h
		x := t.Axis.x
		start := call.Started
		if !call.Submitted.IsZero() || call.State == entity.CallWaiting {
			bar(&waiting, x(call.Submitted), x(first(start, call.Ended, t.now)), y+h*0.42, h*0.16)
		}
		if start.IsZero() {
			if call.State == entity.CallFailed {
				cross(&crosses, x(call.Ended), y, h)
			}
			continue
		}
		ran := start.Add(call.Init)
		if call.Cold && call.Init > 0 {
			bar(&cold, x(start), x(ran), y+h*0.22, h*0.56)
		}
		switch call.State {
		case entity.CallFailed:
			bar(&failed, x(ran), x(call.Ended), y+h*0.1, h*0.8)
			cross(&crosses, x(call.Ended), y, h)
		case entity.CallDone:
			bar(&done, x(ran), x(call.Ended), y+h*0.1, h*0.8)
		default:
			arrow(&running, x(ran), x(t.now), y+h*0.1, h*0.8)
		}
		if t.slow[from-1+i] {
			at := x(first(call.Ended, t.now)) / width * 100
			c.Slowest = append(c.Slowest, slowMark{X: at, Y: 100 * (y + h/2) / float64(c.Height), Left: at > 90, Label: duration(call.Duration(t.now))})
		}
	}
	c.Waiting, c.Cold, c.Running, c.Done = waiting.String(), cold.String(), running.String(), done.String()
	c.Failed, c.Crosses = failed.String(), crosses.String()
	return c
}

// first returns the first time that is known.
func first(times ...time.Time) time.Time { return cmp.Or(times...) }

// thin is the least width of what happened, in units: short calls are to be seen, too.
const thin = 1.2

func bar(b *strings.Builder, from, to, y, h float64) {
	fmt.Fprintf(b, "M%.1f %.1fH%.1fV%.1fH%.1fz", from, y, max(to, from+thin), y+h, from)
}

func arrow(b *strings.Builder, from, to, y, h float64) {
	to = max(to, from+thin)
	tip := min(8, to-from)
	fmt.Fprintf(b, "M%.1f %.1fH%.1fL%.1f %.1fL%.1f %.1fH%.1fz", from, y, to-tip, to, y+h/2, to-tip, y+h, from)
}

func cross(b *strings.Builder, x, y, h float64) {
	x = min(x, width-4)
	fmt.Fprintf(b, "M%.1f %.1fL%.1f %.1fM%.1f %.1fL%.1f %.1f", x-4, y+h*0.1, x+4, y+h*0.9, x-4, y+h*0.9, x+4, y+h*0.1)
}
