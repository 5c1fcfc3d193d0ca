package dashboard

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"fn-runtime/runtime/entity"
)

// lanesPerChunk is the number of lanes that are drawn and sent to the page at a time.
const lanesPerChunk = 200

// markedCalls is the number of slowest calls that are marked in the timeline.
const markedCalls = 5

// timeline is the layout of a job with one lane per call, in the order of the calls.
type timeline struct {
	Axis       axis
	Calls      []entity.Call
	LaneHeight int // height of a lane in pixels
	now        time.Time
	order      []int        // lanes, counted from 0, in the order of the table: failed calls first, then the slowest
	slow       map[int]bool // lanes of the slowest calls, which are marked
}

// newTimeline returns the layout of the calls of a job at the time now. The calls are in the order of their lanes.
func newTimeline(calls []entity.Call, now time.Time) timeline {
	t := timeline{Calls: calls, now: now, LaneHeight: 5, slow: map[int]bool{}}
	switch n := len(calls); {
	case n <= 40:
		t.LaneHeight = 14
	case n <= 400:
		t.LaneHeight = 8
	}
	from, to := now, time.Time{}
	for _, c := range calls {
		for _, at := range []time.Time{c.Submitted, c.Started} {
			if !at.IsZero() && at.Before(from) {
				from = at
			}
		}
		if end := firstNonZero(c.Ended, now); end.After(to) {
			to = end
		}
	}
	t.sort()
	t.Axis = newAxis(from, to)
	return t
}

// sort sets the order of the table and the slowest calls.
func (t *timeline) sort() {
	took := make([]time.Duration, len(t.Calls))
	t.order = make([]int, len(t.Calls))
	for i, c := range t.Calls {
		t.order[i], took[i] = i, c.Duration(t.now)
	}
	slices.SortStableFunc(t.order, func(a, b int) int { return cmp.Compare(took[b], took[a]) })
	if len(t.Calls) > 2*markedCalls {
		for _, i := range t.order[:markedCalls] {
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

// chunk is a group of consecutive lanes. It has one SVG path for each phase, which contains that phase of all calls,
// so that the browser draws few elements however many calls there are.
type chunk struct {
	First, Last int // lanes, counted from 1
	LaneHeight  int // height of a lane in SVG units
	Width       int // width of the drawing in SVG units
	Height      int // height of the drawing in SVG units
	PixelHeight int // height on the screen in pixels
	Ticks       []tick
	Waiting     string // thin lines
	Cold        string // frames
	Running     string // bars with an arrowhead
	Done        string // bars
	Failed      string // bars
	Crosses     string // crosses at the ends of the bars of failed calls
	Slowest     []slowMark
}

// slowMark is the label of a slow call at the end of its bar.
type slowMark struct {
	X, Y  float64 // percent of the drawing
	Left  bool    // the label is to the left of X
	Label string
}

// chunks returns all chunks without their drawings.
func (t timeline) chunks() []chunk {
	var all []chunk
	for from := 0; from < len(t.Calls); from += lanesPerChunk {
		to := min(from+lanesPerChunk, len(t.Calls))
		all = append(all, t.emptyChunk(from+1, to))
	}
	return all
}

// emptyChunk returns the chunk of the lanes from to to, counted from 1, without its drawing.
func (t timeline) emptyChunk(from, to int) chunk {
	height := (to - from + 1) * t.LaneHeight
	return chunk{First: from, Last: to, LaneHeight: t.LaneHeight, Width: width, Height: height, PixelHeight: height, Ticks: t.Axis.Ticks}
}

// draw returns the chunk of the lanes from to to, counted from 1, with its drawing.
func (t timeline) draw(from, to int, duration func(time.Duration) string) chunk {
	c := t.emptyChunk(from, to)
	var waiting, cold, running, done, failed, crosses strings.Builder
	h := float64(t.LaneHeight)
	for i, call := range t.Calls[from-1 : to] {
		y := float64(i) * h
		x := t.Axis.x
		start := call.Started
		if !call.Submitted.IsZero() || call.State == entity.CallWaiting {
			bar(&waiting, x(call.Submitted), x(firstNonZero(start, call.Ended, t.now)), y+h*0.42, h*0.16)
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
			at := x(firstNonZero(call.Ended, t.now)) / width * 100
			c.Slowest = append(c.Slowest, slowMark{X: at, Y: 100 * (y + h/2) / float64(c.Height), Left: at > 90, Label: duration(call.Duration(t.now))})
		}
	}
	c.Waiting, c.Cold, c.Running, c.Done = waiting.String(), cold.String(), running.String(), done.String()
	c.Failed, c.Crosses = failed.String(), crosses.String()
	return c
}

// firstNonZero returns the first time that is not zero.
func firstNonZero(times ...time.Time) time.Time { return cmp.Or(times...) }

// minWidth is the minimum width of a bar in SVG units, so that short calls are visible.
const minWidth = 1.2

func bar(b *strings.Builder, from, to, y, h float64) {
	fmt.Fprintf(b, "M%.1f %.1fH%.1fV%.1fH%.1fz", from, y, max(to, from+minWidth), y+h, from)
}

func arrow(b *strings.Builder, from, to, y, h float64) {
	to = max(to, from+minWidth)
	tip := min(8, to-from)
	fmt.Fprintf(b, "M%.1f %.1fH%.1fL%.1f %.1fL%.1f %.1fH%.1fz", from, y, to-tip, to, y+h/2, to-tip, y+h, from)
}

func cross(b *strings.Builder, x, y, h float64) {
	x = min(x, width-4)
	fmt.Fprintf(b, "M%.1f %.1fL%.1f %.1fM%.1f %.1fL%.1f %.1f", x-4, y+h*0.1, x+4, y+h*0.9, x-4, y+h*0.9, x+4, y+h*0.1)
}
