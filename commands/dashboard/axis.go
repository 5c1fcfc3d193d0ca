package dashboard

import (
	"fmt"
	"strconv"
	"time"
)

// steps are the distances between marks on the axis of time that people can count in.
var steps = []time.Duration{
	10 * time.Millisecond, 20 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond, 200 * time.Millisecond,
	500 * time.Millisecond, time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 20 * time.Second, 30 * time.Second,
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 20 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour,
}

// marks is how many there are at most on the axis of time.
const marks = 10

// tick is a mark on an axis.
type tick struct {
	At    float64 // percent of the axis
	Label string
}

// axis is a stretch of time with its marks.
type axis struct {
	From  time.Time
	Span  time.Duration // a whole number of steps, so that the picture of a running job grows by steps, too
	Ticks []tick
}

func newAxis(from, to time.Time) axis {
	span := max(to.Sub(from), steps[0])
	longest := steps[len(steps)-1]
	step := time.Duration(1+int(span/(longest*marks))) * longest
	for _, s := range steps {
		if span <= s*marks {
			step = s
			break
		}
	}
	span = time.Duration(int((span+step-1)/step)) * step
	a := axis{From: from, Span: span}
	for at := time.Duration(0); at <= span; at += step {
		a.Ticks = append(a.Ticks, tick{100 * float64(at) / float64(span), clock(at, step, span)})
	}
	return a
}

// clock is a time on the axis: "0.5 s", "20 s", "1:30", "2:00:00".
func clock(at, step, span time.Duration) string {
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

// width is how many units of a drawing the axis is wide.
const width = 1000

// x is where a time is on the axis, in units; what is outside is at its end.
func (a axis) x(t time.Time) float64 {
	return min(width, max(0, width*float64(t.Sub(a.From))/float64(a.Span)))
}

// round returns the next number of the kind 1, 2, 5, 10, 20 that is not below v.
func round(v float64) float64 {
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
