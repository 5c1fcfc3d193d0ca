package dashboard

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"fn-runtime/runtime/entity"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func at(seconds float64) time.Time {
	return noon.Add(time.Duration(seconds * float64(time.Second)))
}

func TestAxisTicksAreRoundNumbers(t *testing.T) {
	for _, c := range []struct {
		span time.Duration
		want string
	}{
		{0, "0 0.01 s"},
		{900 * time.Millisecond, "0 0.1 s 0.2 s 0.3 s 0.4 s 0.5 s 0.6 s 0.7 s 0.8 s 0.9 s"},
		{7 * time.Second, "0 1 s 2 s 3 s 4 s 5 s 6 s 7 s"},
		{61 * time.Second, "0 10 s 20 s 30 s 40 s 50 s 60 s 70 s"},
		{119 * time.Second, "0 0:20 0:40 1:00 1:20 1:40 2:00"},
		{9 * time.Minute, "0 1:00 2:00 3:00 4:00 5:00 6:00 7:00 8:00 9:00"},
		{4 * time.Hour, "0 0:30:00 1:00:00 1:30:00 2:00:00 2:30:00 3:00:00 3:30:00 4:00:00"},
	} {
		var got []string
		for _, m := range newAxis(noon, noon.Add(c.span)).Ticks {
			got = append(got, m.Label)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: got %v, want %s", c.span, got, c.want)
		}
	}
	if got := len(newAxis(noon, noon.Add(90*24*time.Hour)).Ticks); got > 12 {
		t.Errorf("got %d ticks for three months, want at most 12", got)
	}
}

// Each phase of a call is drawn with its own shape.
func TestPhases(t *testing.T) {
	calls := []entity.Call{
		{ID: "00000", State: entity.CallWaiting, Submitted: at(0)},
		{ID: "00001", State: entity.CallRunning, Submitted: at(0), Started: at(2), Cold: true, Init: time.Second},
		{ID: "00002", State: entity.CallDone, Submitted: at(0), Started: at(1), Ended: at(10)},
		{ID: "00003", State: entity.CallFailed, Started: at(1), Ended: at(5)},
		{ID: "00004", State: entity.CallWaiting},
	}
	c := newTimeline(calls, at(10)).draw(1, 5, time.Duration.String)
	for _, p := range []struct{ what, path, want string }{
		{"waiting", c.Waiting, "M0.0 5.9H1000.0V8.1H0.0zM0.0 19.9H200.0V22.1H0.0zM0.0 33.9H100.0V36.1H0.0zM0.0 61.9H1000.0V64.1H0.0z"},
		{"cold", c.Cold, "M200.0 17.1H300.0V24.9H200.0z"},
		{"running", c.Running, "M300.0 15.4H992.0L1000.0 21.0L992.0 26.6H300.0z"},
		{"done", c.Done, "M100.0 29.4H1000.0V40.6H100.0z"},
		{"failed", c.Failed, "M100.0 43.4H500.0V54.6H100.0z"},
		{"crosses", c.Crosses, "M496.0 43.4L504.0 54.6M496.0 54.6L504.0 43.4"},
	} {
		if p.path != p.want {
			t.Errorf("%s is %s, want %s", p.what, p.path, p.want)
		}
	}
}

func TestChunksContainAllLanes(t *testing.T) {
	for _, n := range []int{0, 1, lanesPerChunk, lanesPerChunk + 1, 10_000} {
		var calls []entity.Call
		for i := range n {
			calls = append(calls, entity.Call{ID: fmt.Sprintf("%05d", i), State: entity.CallDone, Started: at(0), Ended: at(float64(i))})
		}
		next := 1
		for _, c := range newTimeline(calls, at(0)).chunks() {
			if c.First != next {
				t.Errorf("%d calls: a chunk starts with lane %d, want %d", n, c.First, next)
			}
			next = c.Last + 1
		}
		if next != n+1 {
			t.Errorf("%d calls: the last lane is %d, want %d", n, next-1, n)
		}
	}
}

func TestCurves(t *testing.T) {
	var calls []entity.Call
	for i := range 30 {
		calls = append(calls, entity.Call{ID: fmt.Sprintf("%05d", i), State: entity.CallDone, Started: at(float64(i % 3)), Ended: at(8)})
	}
	timeline := newTimeline(calls, at(9))
	if c := timeline.concurrency(); c.Peak != "30" || c.Top != "50" {
		t.Errorf("concurrency: got %s of %s, want 30 of 50", c.Peak, c.Top)
	}
	if c := timeline.throughput(); c.Path == "" || c.Peak == "0" {
		t.Errorf("throughput: got %+v, want a path and a peak", c)
	}
}
