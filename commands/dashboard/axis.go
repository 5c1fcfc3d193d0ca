package dashboard

import (
	"fmt"
	"strconv"
	"time"
)

// tickSteps are the possible intervals between ticks on the time axis. They are round numbers in units of time.
var tickSteps = []time.Duration{
	10 * time.Millisecond, 20 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond, 200 * time.Millisecond,
	500 * time.Millisecond, time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 20 * time.Second, 30 * time.Second,
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 20 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour,
}

// maxIntervals is the maximum number of intervals between ticks on the time axis.
const maxIntervals = 10

// tick is a labeled position on the time axis.
type tick struct {
	At    float64 // percent of the axis
	Label string
}

// axis is the time axis of a timeline.
type axis struct {
	From  time.Time
	Span  time.Duration // a multiple of the tick interval, so that the axis of a running job changes only once per interval
	Ticks []tick
}

func newAxis(from, to time.Time) axis {
	span := max(to.Sub(from), tickSteps[0])
	longest := tickSteps[len(tickSteps)-1]
	step := time.Duration(1+int(span/(longest*maxIntervals))) * longest
	for _, s := range tickSteps {
		if span <= s*maxIntervals {
			step = s
			break
		}
	}
	span = time.Duration(int((span+step-1)/step)) * step
	a := axis{From: from, Span: span}
	for at := time.Duration(0); at <= span; at += step {
		a.Ticks = append(a.Ticks, tick{100 * float64(at) / float64(span), tickLabel(at, step, span)})
	}
	return a
}

// tickLabel returns the label of a tick, such as "0.5 s", "20 s", "1:30" or "2:00:00".
func tickLabel(at, step, span time.Duration) string {
	switch {
	case at == 0:
		return "0"
	case step < time.Second:
		return strconv.FormatFloat(at.Seconds(), 'f', -1, 64) + " s"
	case span < 2*time.Minute:
		return strconv.Itoa(int(at/time.Second)) + " s"
	case span < time.Hour:
		return fmt.Sprintf("%d:%02d", int(at/time.Minute), int(at%time.Minute/time.Second))
	}
	return fmt.Sprintf("%d:%02d:%02d", int(at/time.Hour), int(at%time.Hour/time.Minute), int(at%time.Minute/time.Second))
}

// width is the width of the axis in SVG units.
const width = 1000

// x returns the position of a time on the axis in SVG units. Times outside the axis are at its ends.
func (a axis) x(t time.Time) float64 {
	return min(width, max(0, width*float64(t.Sub(a.From))/float64(a.Span)))
}

// niceCeil returns the smallest number of the series 1, 2, 5, 10, 20, 50, ... that is not less than v.
func niceCeil(v float64) float64 {
	unit := 1.0
	for unit*10 <= v {
		unit *= 10
	}
	for v < unit {
		unit /= 10
	}
	for _, f := range []float64{1, 2, 5} {
		if v <= f*unit {
			return f * unit
		}
	}
	return 10 * unit
}
