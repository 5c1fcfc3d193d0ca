package dashboard

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// curveHeight is the height of a curve in units.
const curveHeight = 72

// samples is how many points a curve has at most.
const samples = 250

// curve is a quantity over the time of a timeline.
type curve struct {
	Title  string
	Kind   string // class of the drawing
	Top    string // value at the upper edge
	Peak   string // greatest value
	Path   string
	Ticks  []tick
	Width  int
	Height int
}

// concurrency is how many calls ran at once: of each sample the most.
func (t timeline) concurrency() curve {
	change := make([]int, samples+1)
	most := make([]float64, samples)
	for _, c := range t.Calls {
		if c.Started.IsZero() {
			continue
		}
		change[t.sample(c.Started)]++
		change[t.sample(first(c.Ended, t.now))+1]-- // in the sample in which it ends it has run
	}
	running := 0
	for i := range most {
		running += change[i]
		most[i] = float64(running)
	}
	return t.area("concurrency", most)
}

// throughput is how many calls ended in a second.
func (t timeline) throughput() curve {
	const wide = 5 // samples in a bar
	ended := make([]float64, samples)
	second := t.Axis.Span.Seconds() / samples * wide
	for _, c := range t.Calls {
		if c.Ended.IsZero() {
			continue
		}
		from := t.sample(c.Ended) / wide * wide
		for i := from; i < from+wide; i++ {
			ended[i] += 1 / second
		}
	}
	return t.area("throughput", ended)
}

func (t timeline) sample(at time.Time) int {
	return min(samples-1, int(t.Axis.x(at)*samples/width))
}

// area draws values as steps, up to the last one that is not over yet.
func (t timeline) area(kind string, values []float64) curve {
	peak := 0.0
	for _, v := range values {
		peak = max(peak, v)
	}
	top := round(max(peak, 1))
	c := curve{Kind: kind, Top: number(top), Peak: number(peak), Ticks: t.Axis.Ticks, Width: width, Height: curveHeight}
	var b strings.Builder
	fmt.Fprintf(&b, "M0 %d", curveHeight)
	last := -1.0
	for i, v := range values {
		if v != last {
			fmt.Fprintf(&b, "H%.1fV%.1f", float64(i)*width/samples, curveHeight*(1-v/top))
			last = v
		}
	}
	fmt.Fprintf(&b, "H%dV%dz", width, curveHeight)
	c.Path = b.String()
	return c
}

// number has three digits that matter, or those of a whole number.
func number(v float64) string {
	if v >= 100 {
		return strconv.Itoa(int(v + 0.5))
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}
