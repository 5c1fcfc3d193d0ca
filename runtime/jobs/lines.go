package jobs

import (
	"time"

	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/site"
)

// reportLog reports the log of an activation, each line with the call that wrote it, and the reason if the service
// ended it.
func (w *Watcher) reportLog(run entity.Activation, lines []lithops.Line, logged []lithops.LoggedCall, calls []*call) {
	for _, c := range calls {
		c.logged = true
	}
	if w.lines == nil {
		return
	}
	out := make([]entity.LogLine, len(lines), len(lines)+1)
	for i, l := range lines {
		out[i] = entity.LogLine{Time: l.Time, Stream: l.Stream, Text: l.Text, Worker: l.Worker, Activation: run.ID, Runtime: w.image(run.Runtime), Failed: !run.Success}
		if len(calls) == 1 {
			out[i].Job, out[i].Call, out[i].Failed = calls[0].Job, calls[0].ID, calls[0].State == entity.CallFailed
		}
	}
	for n, l := range logged {
		for _, i := range l.Lines {
			out[i].Job, out[i].Call, out[i].Failed = l.Job, l.Call, calls[n].State == entity.CallFailed
		}
	}
	if !run.Success {
		last := entity.LogLine{Time: run.Start.Add(time.Duration(run.DurationMS) * time.Millisecond), Activation: run.ID, Runtime: w.image(run.Runtime), Failed: true, Note: site.FailureReason(run)}
		if len(calls) > 0 {
			last.Job, last.Call = calls[len(calls)-1].Job, calls[len(calls)-1].ID
		} else if run.Work != nil {
			last.Job = run.Work.Job
		}
		out = append(out, last)
	}
	if len(out) > 0 {
		w.lines(out)
	}
}

// reportCallLog reports the log that a call stored in its status object.
func (w *Watcher) reportCallLog(c *call, lines []lithops.Line) {
	c.logged = true
	if w.lines == nil || len(lines) == 0 {
		return
	}
	out := make([]entity.LogLine, len(lines))
	for i, l := range lines {
		out[i] = entity.LogLine{Time: c.Ended, Text: l.Text, Worker: l.Worker, Activation: c.Activation, Runtime: c.Runtime, Job: c.Job, Call: c.ID, Failed: c.State == entity.CallFailed}
	}
	w.lines(out)
}
