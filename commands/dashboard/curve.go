package dashboard

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// curveHeight is the height of a curve in SVG units.
const curveHeight = 72

// samples is the number of samples of a curve.
const samples = 250

// curve is a chart of a quantity over the time of a timeline.
type curve struct {
	Title  string
	Kind   string // CSS class: "concurrency" or "throughput"
	Top    string // value at the upper edge
	Peak   string // maximum
	Path   string
	Ticks  []tick
	Width  int
	Height int
}

// concurrency returns the curve of concurrent calls. The value of a sample is the maximum during the sample.
func (t timeline) concurrency() curve {
	change := make([]int, samples+1)
	most := make([]float64, samples)
	for _, c := range t.Calls {
		if c.Started.IsZero() {
			continue
		}
		change[t.sample(c.Started)]++
		change[t.sample(firstNonZero(c.Ended, t.now))+1]-- // the call still counts in the sample in which it ends
	}
	running := 0
	for i := range most {
		running += change[i]
		most[i] = float64(running)
	}
	return t.area("concurrency", most)
}

// throughput returns the curve of calls that ended per second.
func (t timeline) throughput() curve {
	const samplesPerBar = 5
	ended := make([]float64, samples)
	seconds := t.Axis.Span.Seconds() / samples * samplesPerBar // duration of a bar
	for _, c := range t.Calls {
		if c.Ended.IsZero() {
			continue
		}
		from := t.sample(c.Ended) / samplesPerBar * samplesPerBar
		for i := from; i < from+samplesPerBar; i++ {
			ended[i] += 1 / seconds
		}
	}
	return t.area("throughput", ended)
}

// sample returns the index of the sample that contains a time.
func (t timeline) sample(at time.Time) int {
	return min(samples-1, int(t.Axis.x(at)*samples/width))
}

// area returns the curve of values, drawn as the area below a step function.
func (t timeline) area(kind string, values []float64) curve {
	peak := 0.0
	for _, v := range values {
		peak = max(peak, v)
	}
	top := niceCeil(max(peak, 1))
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

// number formats a value with three significant digits, or as an integer if it is 100 or more.
func number(v float64) string {
	if v >= 100 {
		return strconv.Itoa(int(v + 0.5))
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}
