package view

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"fn-runtime/i18n"
	"fn-runtime/runtime"
	"fn-runtime/runtime/entity"
)

var sampleTime = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func sampleJobs() []entity.Job {
	return []entity.Job{
		{ID: "a1b2c3-0-M001", Executor: "a1b2c3-0", Function: "double", Runtime: "docker.io/me/img:1", MemoryMB: 512,
			Calls: entity.Counts{Total: 200, Waiting: 40, Running: 60, Done: 98, Failed: 2, Cold: 7}, First: sampleTime, Duration: 75 * time.Second, GBs: 123.4},
		{ID: "a1b2c3-0-M000", Executor: "a1b2c3-0", Calls: entity.Counts{Total: 3, Done: 3}, First: sampleTime, Last: sampleTime.Add(time.Second), Duration: time.Second},
	}
}

func sampleJob() runtime.JobDetail {
	d := runtime.JobDetail{Job: sampleJobs()[0]}
	for n := range 25 {
		d.List = append(d.List, entity.Call{Job: d.ID, ID: fmt.Sprintf("%05d", n), State: entity.CallDone, Activation: strings.Repeat("a", 32), MemoryMB: 512,
			Started: sampleTime, Ended: sampleTime.Add(time.Duration(n) * 100 * time.Millisecond), Cold: n == 3, Submitted: sampleTime})
	}
	d.List[1].State, d.List[1].Error = entity.CallFailed, "ValueError: no\x1b[31m"
	d.List[2].State, d.List[2].Cause = entity.CallFailed, i18n.M("It exceeded the timeout of its runtime.")
	d.List[5] = entity.Call{Job: d.ID, ID: "00005", State: entity.CallWaiting}
	return d
}

func TestJobs(t *testing.T) {
	t.Setenv("TZ", "UTC")
	for name, set := range map[string]func(*View){"text": nil, "json": func(v *View) { v.JSON = true }, "terminal": func(v *View) { v.OutTTY, v.Width = true, 120 }} {
		t.Run(name, func(t *testing.T) {
			s := newScreen(set)
			if err := s.Jobs(sampleJobs(), 0.000017); err != nil {
				t.Fatal(err)
			}
			golden(t, "jobs-"+name, s.output())
			s = newScreen(set)
			s.FlagsFor = func(string) string { return " -b local" }
			if err := s.Job(sampleJob(), 0); err != nil {
				t.Fatal(err)
			}
			golden(t, "job-"+name, s.output())
		})
	}
}

// Log lines come from untrusted programs. Control characters in them must not reach the terminal, and in JSON each log
// line must stay on one line.
func TestLogLine(t *testing.T) {
	l := entity.LogLine{Time: sampleTime, Runtime: "docker.io/me/img:1", Job: "a1b2c3-0-M001", Call: "00002", Activation: strings.Repeat("a", 32), Stream: "stdout", Text: "  <b>\x1b]0;x\x07\u202e"}
	noJob := entity.LogLine{Text: "no time, no job", Activation: strings.Repeat("b", 32)}
	for name, set := range map[string]func(*View){"text": nil, "json": func(v *View) { v.JSON = true }} {
		s := newScreen(set)
		for _, line := range []entity.LogLine{l, noJob} {
			if err := s.LogLine(line); err != nil {
				t.Fatal(err)
			}
		}
		golden(t, "logline-"+name, s.output())
	}
	s := newScreen(func(v *View) { v.JSON = true })
	if err := s.SetFormat("{{.call}}: {{.text}}"); err != nil {
		t.Fatal(err)
	}
	for _, line := range []entity.LogLine{l, noJob} {
		if err := s.LogLine(line); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := s.out.String(), "00002:   <b>\\x1b]0;x\\x07\\u202e\n: no time, no job\n"; got != want {
		t.Errorf("with a template: got %q, want %q", got, want)
	}
}
