package runtime

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/jobs"
	"fn-runtime/runtime/parallel"
)

// LogsRequest says which lines to read, of all that calls have written. A service gives a call's lines when it has ended.
type LogsRequest struct {
	Runtime    string // part of an image name, or "default"; "" any
	Job        string // or an executor, for all its jobs; "" any
	Call       string // of Job; "" any
	Activation string // one call by the service's id, however old; "" any
	Since      time.Duration
	Failed     bool // only of calls that failed
	Worker     bool // also what the Lithops worker says of its own work
	Last       int  // begin with the last of so many lines; 0 with all
	Follow     bool // go on until ctx ends
}

const (
	// maxLogLines bounds the lines that are held at the same time.
	maxLogLines = 100_000
	// recentLogs and jobLogs are how far back logs are read unless the request says: of everything, and of a job.
	recentLogs = 10 * time.Minute
	jobLogs    = 24 * time.Hour
	// longestCall is how long before its last line a call may have started: services look for calls by their start.
	longestCall = 15 * time.Minute
	// patience is how many refreshes in a row may fail while logs are followed.
	patience = 5
)

// Logs gives lines to yield in the order of their times; with Follow, those that come later as they come, until ctx ends.
func (s *Service) Logs(ctx context.Context, req LogsRequest, yield func(entity.LogLine) error) error {
	op := i18n.M("Reading logs in {{.Place}}", "Place", s.Scope())
	if req.Runtime == DefaultName {
		image, err := s.Image(req.Runtime, "")
		if err != nil {
			return fault.During(op, err)
		}
		req.Runtime = image
	}
	since := cmp.Or(req.Since, recentLogs)
	if req.Job != "" {
		since = cmp.Or(req.Since, jobLogs)
	}
	r := reading{req: req}
	if req.Activation == "" {
		r.from = time.Now().Add(-since)
	}
	watch := jobs.New(&s.Site, time.Now().Add(-since-longestCall), r.take)
	end := s.Begin(op)
	err := s.firstLines(ctx, watch, &r)
	end(err)
	if s.Target.Backend == BackendCodeEngine {
		s.Note(i18n.M("Code Engine does not keep logs, so this output shows the logs that Lithops stored in the bucket. Other logs are in IBM Cloud Logs. To see the logs of an existing job run, use 'ibmcloud ce jobrun logs --name RUN'."))
	}
	if err == nil {
		err = r.give(yield, req.Last)
	}
	if err == nil && req.Follow && req.Activation == "" {
		err = r.follow(ctx, watch, yield)
	}
	if req.Follow && ctx.Err() != nil {
		return nil
	}
	return fault.During(op, err)
}

// firstLines reads what there is now.
func (s *Service) firstLines(ctx context.Context, w *jobs.Watcher, r *reading) error {
	req := r.req
	if req.Activation != "" {
		return s.oneActivation(ctx, w, r)
	}
	if _, err := w.Refresh(ctx); err != nil {
		return err
	}
	if req.Job != "" && !req.Follow && len(jobsOf(w, req.Job)) == 0 {
		return NoJob(req.Job)
	}
	return nil
}

// oneActivation reads the log of one activation; with Follow it waits for its end.
func (s *Service) oneActivation(ctx context.Context, w *jobs.Watcher, r *reading) error {
	for req := r.req; ; {
		err := w.ReadActivation(ctx, req.Activation)
		if !fault.Is(err, fault.NotFound) {
			return err
		}
		// Where the service has no such record, the call's own status may be in the bucket.
		if _, err := w.Refresh(ctx); err != nil || r.any() {
			return err
		}
		if !req.Follow {
			return fault.New(fault.NotFound, i18n.M("No record of activation {{.ID}} was found.", "ID", req.Activation),
				i18n.M("A service writes the record after the call ends and deletes it after some time. Pass '--follow' to wait for the record.")).Because(err)
		}
		if err := parallel.Sleep(ctx, w.Pause()); err != nil {
			return err
		}
	}
}

// reading holds lines until they are given on in their order.
type reading struct {
	req   LogsRequest
	from  time.Time
	lines []entity.LogLine
}

// take keeps those lines that were asked for, the newest when they are too many.
func (r *reading) take(lines []entity.LogLine) {
	for _, l := range lines {
		if r.wants(l) {
			r.lines = append(r.lines, l)
		}
	}
	if len(r.lines) > 2*maxLogLines {
		r.sort()
		r.lines = slices.Clone(r.lines[len(r.lines)-maxLogLines:])
	}
}

// any reports whether there is something to give.
func (r *reading) any() bool { return len(r.lines) > 0 }

func (r *reading) wants(l entity.LogLine) bool {
	return (l.Time.IsZero() || !l.Time.Before(r.from)) &&
		(r.req.Runtime == "" || strings.Contains(l.Runtime, r.req.Runtime)) &&
		ofJob(l.Job, r.req.Job) && (r.req.Call == "" || l.Call == r.req.Call) &&
		(r.req.Activation == "" || l.Activation == r.req.Activation) && (!r.req.Failed || l.Failed) && (r.req.Worker || !l.Worker)
}

func (r *reading) sort() {
	slices.SortStableFunc(r.lines, func(a, b entity.LogLine) int { return a.Time.Compare(b.Time) })
}

// give gives on what has come, the last of it where there is a limit.
func (r *reading) give(yield func(entity.LogLine) error, last int) error {
	r.sort()
	lines := r.lines
	r.lines = nil
	if last > 0 {
		lines = lines[max(0, len(lines)-last):]
	}
	for _, l := range lines {
		if err := yield(l); err != nil {
			return err
		}
	}
	return nil
}

// follow gives on what comes until ctx ends. A service that does not answer for a while is asked again.
func (r *reading) follow(ctx context.Context, w *jobs.Watcher, yield func(entity.LogLine) error) error {
	for failed := 0; ; {
		if err := parallel.Sleep(ctx, w.Pause()); err != nil {
			return err
		}
		_, err := w.Refresh(ctx)
		if failed++; err != nil && failed >= patience {
			return err
		}
		if err == nil {
			failed = 0
		}
		if err := r.give(yield, 0); err != nil {
			return err
		}
	}
}
