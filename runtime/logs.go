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

// LogsRequest selects the log lines to read. A service provides the lines of a call after the call has ended.
type LogsRequest struct {
	Runtime    string // part of an image name, or "default"; "" selects all
	Job        string // ID of a job, or of an executor to select all its jobs; "" selects all
	Call       string // ID of a call of Job; "" selects all
	Activation string // ID of one activation of any age; "" selects all
	Since      time.Duration
	Failed     bool // only lines of failed calls
	Worker     bool // include lines of the Lithops worker
	Last       int  // start with the last lines, at most this number; 0 is all
	Follow     bool // continue until ctx ends
}

const (
	// maxLogLines is the maximum number of lines in memory.
	maxLogLines = 100_000
	// recentLogs and jobLogs are the default values of Since, for all logs and for the logs of a job.
	recentLogs = 10 * time.Minute
	jobLogs    = 24 * time.Hour
	// longestCall is the assumed maximum duration of a call. Services select calls by their start, so the listing
	// starts this much earlier than the first selected line.
	longestCall = 15 * time.Minute
	// maxFailedRefreshes is how many consecutive refreshes may fail while logs are followed.
	maxFailedRefreshes = 5
)

// Logs passes lines to yield in the order of their times. With Follow, it continues with new lines until ctx ends.
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
	r := logReader{req: req}
	if req.Activation == "" {
		r.from = time.Now().Add(-since)
	}
	watch := jobs.New(&s.Site, time.Now().Add(-since-longestCall), r.add)
	end := s.Begin(op)
	err := s.readFirst(ctx, watch, &r)
	end(err)
	if s.Target.Backend == BackendCodeEngine {
		s.Note(i18n.M("Code Engine does not keep logs, so this output shows the logs that Lithops stored in the bucket. Other logs are in IBM Cloud Logs. To see the logs of an existing job run, use 'ibmcloud ce jobrun logs --name RUN'."))
	}
	if err == nil {
		err = r.flush(yield, req.Last)
	}
	if err == nil && req.Follow && req.Activation == "" {
		err = r.follow(ctx, watch, yield)
	}
	if req.Follow && ctx.Err() != nil {
		return nil
	}
	return fault.During(op, err)
}

// readFirst reads the existing lines.
func (s *Service) readFirst(ctx context.Context, w *jobs.Watcher, r *logReader) error {
	req := r.req
	if req.Activation != "" {
		return s.readActivation(ctx, w, r)
	}
	if _, err := w.Refresh(ctx); err != nil {
		return err
	}
	if req.Job != "" && !req.Follow && len(jobsOf(w, req.Job)) == 0 {
		return JobNotFound(req.Job)
	}
	return nil
}

// readActivation reads the log of one activation. With Follow, it waits for the activation to end.
func (s *Service) readActivation(ctx context.Context, w *jobs.Watcher, r *logReader) error {
	for req := r.req; ; {
		err := w.ReadActivation(ctx, req.Activation)
		if !fault.Is(err, fault.NotFound) {
			return err
		}
		// If the service has no record, the call's status object may be in the bucket.
		if _, err := w.Refresh(ctx); err != nil || r.hasLines() {
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

// logReader collects lines and passes them to the caller in the order of their times.
type logReader struct {
	req   LogsRequest
	from  time.Time
	lines []entity.LogLine
}

// add keeps the selected lines. If there are too many, it keeps the newest.
func (r *logReader) add(lines []entity.LogLine) {
	for _, l := range lines {
		if r.matches(l) {
			r.lines = append(r.lines, l)
		}
	}
	if len(r.lines) > 2*maxLogLines {
		r.sort()
		r.lines = slices.Clone(r.lines[len(r.lines)-maxLogLines:])
	}
}

// hasLines reports whether lines have been collected since the last flush.
func (r *logReader) hasLines() bool { return len(r.lines) > 0 }

func (r *logReader) matches(l entity.LogLine) bool {
	return (l.Time.IsZero() || !l.Time.Before(r.from)) &&
		(r.req.Runtime == "" || strings.Contains(l.Runtime, r.req.Runtime)) &&
		belongsTo(l.Job, r.req.Job) && (r.req.Call == "" || l.Call == r.req.Call) &&
		(r.req.Activation == "" || l.Activation == r.req.Activation) && (!r.req.Failed || l.Failed) && (r.req.Worker || !l.Worker)
}

func (r *logReader) sort() {
	slices.SortStableFunc(r.lines, func(a, b entity.LogLine) int { return a.Time.Compare(b.Time) })
}

// flush passes the collected lines to yield. If last is positive, it passes at most that many of the newest lines.
func (r *logReader) flush(yield func(entity.LogLine) error, last int) error {
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

// follow passes new lines to yield until ctx ends. It tolerates a service that is unavailable for a while.
func (r *logReader) follow(ctx context.Context, w *jobs.Watcher, yield func(entity.LogLine) error) error {
	for failed := 0; ; {
		if err := parallel.Sleep(ctx, w.Pause()); err != nil {
			return err
		}
		_, err := w.Refresh(ctx)
		if failed++; err != nil && failed >= maxFailedRefreshes {
			return err
		}
		if err == nil {
			failed = 0
		}
		if err := r.flush(yield, 0); err != nil {
			return err
		}
	}
}
