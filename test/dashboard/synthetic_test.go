package dashboard

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"fn-runtime/commands/dashboard"
	"fn-runtime/i18n"
	"fn-runtime/runtime"
	"fn-runtime/runtime/entity"
)

// job is a generated job.
type job struct {
	entity.Job
	calls []entity.Call
}

// synthetic returns a job of n calls. Most calls are done, and some have failed. If unfinished is true, some are
// running and some are waiting.
func synthetic(id string, n int, unfinished bool) job {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	begun := time.Now().Add(-time.Duration(n)*12*time.Millisecond - 20*time.Second)
	d := job{Job: entity.Job{
		ID: id, Executor: entity.ExecutorOf(id), Function: "simulate_orbits", Runtime: "me/orbits:1.4", MemoryMB: 512, First: begun,
	}}
	now := time.Now()
	for i := range n {
		sent := begun.Add(time.Duration(i) * 2 * time.Millisecond)
		c := entity.Call{
			Job: id, ID: fmt.Sprintf("%05d", i), Activation: fmt.Sprintf("%032x", i), Runtime: d.Runtime, Function: d.Function,
			MemoryMB: 512, State: entity.CallDone, Submitted: sent, Started: sent.Add(time.Duration(i)*10*time.Millisecond + time.Duration(r.IntN(200))*time.Millisecond),
		}
		if i < 40 {
			c.Cold, c.Init = true, time.Duration(700+r.IntN(600))*time.Millisecond
		}
		c.Ended = c.Started.Add(c.Init + time.Duration(1500+r.ExpFloat64()*900)*time.Millisecond)
		switch {
		case i%47 == 13:
			c.State, c.Error = entity.CallFailed, "ZeroDivisionError: division by zero"
		case unfinished && i > n*9/10:
			c.State, c.Started, c.Ended = entity.CallWaiting, time.Time{}, time.Time{}
		case unfinished && i > n*8/10:
			c.State, c.Started, c.Ended = entity.CallRunning, now.Add(-time.Duration(r.IntN(3000))*time.Millisecond), time.Time{}
		}
		count(&d.Job, c, now)
		d.calls = append(d.calls, c)
	}
	d.Duration = now.Sub(begun)
	if d.Done() {
		d.Duration = d.Last.Sub(begun)
	}
	return d
}

func count(j *entity.Job, c entity.Call, now time.Time) {
	j.Calls.Total++
	switch c.State {
	case entity.CallWaiting:
		j.Calls.Waiting++
	case entity.CallRunning:
		j.Calls.Running++
	case entity.CallDone:
		j.Calls.Done++
	case entity.CallFailed:
		j.Calls.Failed++
	}
	if c.Cold {
		j.Calls.Cold++
	}
	if c.Ended.After(j.Last) {
		j.Last = c.Ended
	}
	j.GBs += c.GBs(now)
}

// watch is a source of jobs that never change.
type watch []job

func (w watch) Refresh(context.Context) (bool, error) { return false, nil }

func (w watch) Version() uint64 { return 1 }

func (w watch) Pause() time.Duration { return time.Second }

func (w watch) Jobs(time.Time) (list []entity.Job) {
	for _, j := range w {
		list = append(list, j.Job)
	}
	return list
}

func (w watch) Job(id string, _ time.Time) (entity.Job, []entity.Call, bool) {
	for _, j := range w {
		if j.ID == id {
			return j.Job, j.calls, true
		}
	}
	return entity.Job{}, nil, false
}

// options returns options with the given jobs, and with a runtime that needs an update.
func options(jobs ...job) dashboard.Options {
	return dashboard.Options{
		Target: runtime.Target{Backend: runtime.BackendLocal, Namespace: "guest", Bucket: "fn-runtime", Endpoint: "https://127.0.0.1:8443"},
		Watch:  watch(jobs),
		Runtimes: func(context.Context) ([]runtime.Runtime, error) {
			return []runtime.Runtime{
				{Name: "me/orbits:1.4", MemoryMB: 512, PythonVersion: "3.11", LithopsVersion: "3.7.0", State: runtime.Ready},
				{Name: "docker.io/lithopscloud/ibmcf-python-v311", MemoryMB: 256, PythonVersion: "3.11", LithopsVersion: "3.6.0",
					State: runtime.VersionMismatch, Reason: i18n.M("It was made for Lithops {{.Version}}.", "Version", "3.6.0")},
			}, nil
		},
		Load: func(context.Context) (*dashboard.Load, error) {
			return &dashboard.Load{Busy: 16, Idle: 4, Waiting: 19, Computing: 2, Processors: 2, UsedMB: 5120, BudgetMB: 11776}, nil
		},
		Logs: func(_ context.Context, c entity.Call) ([]entity.LogLine, error) {
			return []entity.LogLine{
				{Time: c.Started, Stream: "stdout", Text: "step 1 of call " + c.ID},
				{Time: c.Ended, Stream: "stderr", Text: "Traceback (most recent call last):"},
			}, nil
		},
	}
}
