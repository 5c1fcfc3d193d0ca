package jobs

import (
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/lithops"
)

// tell gives away the log of an activation, each line with the call that wrote it.
func (w *Watch) tell(run entity.Activation, lines []lithops.Line, logged []lithops.LoggedCall, calls []*call) {
	for _, c := range calls {
		c.logged = true
	}
	if w.lines == nil || len(lines) == 0 {
		return
	}
	out := make([]entity.LogLine, len(lines))
	for i, l := range lines {
		out[i] = entity.LogLine{Time: l.Time, Stream: l.Stream, Text: l.Text, Activation: run.ID, Runtime: w.image(run.Runtime), Failed: !run.Success}
		if len(calls) == 1 {
			out[i].Job, out[i].Call, out[i].Failed = calls[0].Job, calls[0].ID, calls[0].State == entity.CallFailed
		}
	}
	for n, l := range logged {
		for _, i := range l.Lines {
			out[i].Job, out[i].Call, out[i].Failed = l.Job, l.Call, calls[n].State == entity.CallFailed
		}
	}
	w.lines(out)
}

// tellCall gives away the log that a call has left in its status object.
func (w *Watch) tellCall(c *call, lines []lithops.Line) {
	c.logged = true
	if w.lines == nil || len(lines) == 0 {
		return
	}
	out := make([]entity.LogLine, len(lines))
	for i, l := range lines {
		out[i] = entity.LogLine{Time: c.Ended, Text: l.Text, Activation: c.Activation, Runtime: c.Runtime, Job: c.Job, Call: c.ID, Failed: c.State == entity.CallFailed}
	}
	w.lines(out)
}
