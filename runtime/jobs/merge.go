package jobs

import (
	"cmp"
	"slices"
	"time"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/site"
)

// maxCalls is the maximum number of calls in memory.
const maxCalls = 200_000

// call returns the call with the given ID and adds it if it is new.
func (w *Watcher) call(r callRef) *call {
	j := w.job(r.job)
	c := j.calls[r.call]
	if c == nil {
		c = &call{Call: entity.Call{Job: r.job, ID: r.call, State: entity.CallWaiting}}
		if len(j.calls) < maxCalls {
			j.calls[r.call] = c
		}
		w.version++
	}
	return c
}

func (w *Watcher) job(id string) *job {
	j := w.jobs[id]
	if j == nil {
		j = &job{id: id, calls: map[string]*call{}}
		w.jobs[id] = j
		w.version++
	}
	return j
}

// mergeObjects merges the information in the keys and times of objects.
func (w *Watcher) mergeObjects(objects []entity.Object) {
	for _, o := range objects {
		key, ok := lithops.ParseJobKey(o.Key)
		if !ok || o.UpdatedAt.Before(w.since) {
			continue
		}
		c := w.call(callRef{key.Job, key.Call})
		j := w.jobs[key.Job]
		j.active = true
		if o.UpdatedAt.After(j.changed) {
			j.changed = o.UpdatedAt
		}
		switch {
		case key.Status && !c.hasStatus:
			c.hasStatus, c.statusRound = true, w.rounds
		case key.Status || c.final || c.State != entity.CallWaiting && (c.Activation == key.Activation || o.UpdatedAt.Before(c.Started)):
		default:
			c.State, c.Activation, c.Started = entity.CallRunning, key.Activation, o.UpdatedAt
			w.byActivation[key.Activation] = append(w.byActivation[key.Activation], c)
			if known := w.activations[c.Activation]; known != nil && !known.callsKnown {
				w.end(c, known.run, true, true, lithops.LoggedCall{})
				c.final = c.State == entity.CallFailed // otherwise its status object has more details
			}
			w.version++
		}
	}
}

// mergeActivation merges an activation of a listing. It returns false if its record must be read as well.
func (w *Watcher) mergeActivation(run entity.Activation) bool {
	if old := w.activations[run.ID]; old != nil && old.read {
		return true
	}
	if !run.Done {
		w.mergePending(run)
		return true
	}
	if len(run.Logs) > 0 {
		w.mergeRecord(run)
		return true
	}
	return false
}

// mergePending merges a waiting or running activation.
func (w *Watcher) mergePending(run entity.Activation) {
	if run.Work == nil || !lithops.IsJob(run.Work.Job) {
		return
	}
	calls := w.callsOf(run)
	for _, c := range calls {
		if c.final || c.State == entity.CallRunning || c.Activation == run.ID {
			continue
		}
		c.Activation, c.Submitted, c.MemoryMB, c.Runtime = run.ID, run.Start, run.MemoryMB, w.image(run.Runtime)
		w.version++
	}
	j := w.jobs[run.Work.Job]
	j.active, j.changed = true, time.Now()
}

// callsOf returns the calls that an activation runs according to its record.
func (w *Watcher) callsOf(run entity.Activation) []*call {
	j := w.job(run.Work.Job)
	j.function, j.runtime, j.memory = cmp.Or(run.Work.Function, j.function), cmp.Or(w.image(run.Runtime), j.runtime), cmp.Or(run.MemoryMB, j.memory)
	j.total = max(j.total, min(run.Work.Total, maxCalls))
	var calls []*call
	for _, id := range run.Work.Calls {
		if lithops.IsCall(id) {
			calls = append(calls, w.call(callRef{j.id, id}))
		}
	}
	return calls
}

// mergeRecord merges the record of an ended activation with its log.
func (w *Watcher) mergeRecord(run entity.Activation) {
	lines := make([]lithops.Line, len(run.Logs))
	for i, line := range run.Logs {
		lines[i] = lithops.ParseLine(line)
	}
	job, only := "", ""
	if run.Work != nil && len(run.Work.Calls) == 1 && lithops.IsJob(run.Work.Job) && lithops.IsCall(run.Work.Calls[0]) {
		job, only = run.Work.Job, run.Work.Calls[0]
	}
	logged := lithops.ReadLog(lines, job, only)
	var calls []*call
	for i, l := range logged {
		c := w.call(callRef{l.Job, l.Call})
		calls = append(calls, c)
		c.Function, c.mixed = cmp.Or(l.Function, c.Function), l.Interleaved
		if w.end(c, run, i == 0, i == len(logged)-1, l) && l.Raised {
			c.State, c.Error = entity.CallFailed, l.Error
		}
	}
	if run.Work != nil && lithops.IsJob(run.Work.Job) {
		for _, c := range w.callsOf(run) {
			if !slices.Contains(calls, c) {
				calls = append(calls, c)
				w.end(c, run, len(calls) == 1, true, lithops.LoggedCall{})
			}
		}
		if len(run.Work.Calls) == 0 {
			w.endJob(run)
		}
	}
	kept := &activation{read: true, run: run, callsKnown: len(calls) > 0 || run.Work != nil}
	kept.run.Logs, kept.run.Result = nil, nil
	if !kept.callsKnown { // its worker does not log; the objects of its calls contain its ID
		for _, c := range w.byActivation[run.ID] {
			calls = append(calls, c)
			w.end(c, run, len(calls) == 1, true, lithops.LoggedCall{})
			c.final = c.State == entity.CallFailed // otherwise its status object has more details
		}
	}
	w.activations[run.ID] = kept
	w.version++
	w.reportLog(run, lines, logged, calls)
}

// endJob sets the result of a job that the service ran as a whole. If it failed, all calls without a known result
// failed.
func (w *Watcher) endJob(run entity.Activation) {
	j := w.jobs[run.Work.Job]
	j.ended, j.cause = entity.CallDone, i18n.Message{}
	if run.Success {
		return
	}
	j.ended, j.cause = entity.CallFailed, site.FailureReason(run)
	for _, c := range j.calls {
		if !c.final && !c.hasStatus {
			c.State, c.Cause, c.final, c.Ended = entity.CallFailed, j.cause, true, run.Start.Add(time.Duration(run.DurationMS)*time.Millisecond)
		}
	}
}

// end sets the result of a call from the activation that ran it. The cold start belongs to the first call of the
// activation, and a failure to the last one. It returns false for an earlier attempt whose record arrives late.
func (w *Watcher) end(c *call, run entity.Activation, first, last bool, l lithops.LoggedCall) bool {
	if c.final && c.Activation != run.ID && c.Started.After(run.Start) {
		return false
	}
	c.Activation, c.MemoryMB, c.Runtime = run.ID, run.MemoryMB, w.image(run.Runtime)
	c.Submitted = run.Start.Add(-time.Duration(run.WaitMS) * time.Millisecond)
	ended := run.Start.Add(time.Duration(run.DurationMS) * time.Millisecond)
	c.Started, c.Ended, c.Init, c.Cold = run.Start, ended, 0, false
	if first {
		c.Init = time.Duration(run.InitMS) * time.Millisecond
		c.Cold = run.InitMS > 0
	} else if !l.Started.IsZero() {
		c.Started = l.Started
	}
	if !last && !l.Ended.IsZero() {
		c.Ended = l.Ended
	}
	c.State, c.Error, c.Cause, c.final = entity.CallDone, "", i18n.Message{}, true
	if last && !run.Success {
		c.State, c.Cause = entity.CallFailed, site.FailureReason(run)
	}
	if j := w.jobs[c.Job]; c.Ended.After(j.changed) {
		j.changed = c.Ended
	}
	return true
}

// mergeStatus merges the status object of a call. data is nil if the object was deleted or is invalid.
func (w *Watcher) mergeStatus(r callRef, data []byte) {
	c := w.call(r)
	s, ok := lithops.ParseCallStatus(data)
	c.hasStatus = c.hasStatus && ok // do not read it again
	if !ok {
		return
	}
	w.version++
	c.mixed = false
	c.Activation = cmp.Or(s.Activation, c.Activation)
	c.State = entity.CallDone
	if known := w.activations[c.Activation]; known == nil {
		c.Cold = s.Cold
	}
	if !s.Submitted.IsZero() {
		c.Submitted = s.Submitted
	}
	if !s.Started.IsZero() && (c.Started.IsZero() || w.activations[c.Activation] == nil) {
		c.Started = s.Started
	}
	c.Ended = s.Ended
	lines := make([]lithops.Line, len(s.Log))
	for i, text := range s.Log {
		lines[i] = lithops.Line{Text: text}
	}
	logged := lithops.ReadLog(lines, r.job, r.call)
	for _, l := range logged {
		c.Function = cmp.Or(l.Function, c.Function)
		if s.Failed {
			c.Error = l.Error
		}
	}
	if s.Failed {
		c.State = entity.CallFailed
	}
	c.final = true
	if !c.logged {
		w.reportCallLog(c, lines)
	}
}

// failLostCalls marks calls that have run longer than allowed as failed, because no result will arrive any more.
func (w *Watcher) failLostCalls(now time.Time) {
	limit := max(w.horizon+margin, 24*time.Hour)
	for _, j := range w.jobs {
		for _, c := range j.calls {
			if c.State == entity.CallRunning && !c.final && now.Sub(c.Started) > limit {
				c.State, c.final, c.Ended = entity.CallFailed, true, c.Started
				c.Cause = i18n.M("It started but never ended; its worker no longer exists.")
				w.version++
			}
		}
	}
}

// dropOld drops activations that no listing returns again and, if there are too many calls, the oldest jobs that are
// done.
func (w *Watcher) dropOld(now time.Time) {
	for id, a := range w.activations {
		if a.run.Start.Before(w.lastListed.Add(-2 * (w.horizon + margin))) {
			delete(w.activations, id)
			delete(w.byActivation, id)
		}
	}
	calls := 0
	for _, j := range w.jobs {
		calls += len(j.calls)
	}
	if calls <= maxCalls {
		return
	}
	var done []entity.Job
	for _, j := range w.jobs {
		if sum := j.sum(j.list(now), now); sum.Done() {
			done = append(done, sum)
		}
	}
	slices.SortFunc(done, func(a, b entity.Job) int { return a.Last.Compare(b.Last) })
	for _, j := range done {
		if calls <= maxCalls {
			return
		}
		calls -= len(w.jobs[j.ID].calls)
		delete(w.jobs, j.ID)
	}
}

// image returns the image of a runtime if known, otherwise its name.
func (w *Watcher) image(id entity.ID) string {
	r := w.runtimes[id]
	return cmp.Or(r.Note(entity.NoteImage), r.Reference, id.Name)
}
