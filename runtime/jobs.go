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
	"fn-runtime/runtime/text"
)

// JobsRequest selects jobs.
type JobsRequest struct {
	Since    time.Duration // age of the oldest jobs; 0 is a day
	Executor string        // only jobs of this executor; "" selects all
	Follow   bool          // wait until no call is waiting or running
}

func (r JobsRequest) since() time.Time {
	return time.Now().Add(-cmp.Or(max(r.Since, 0), jobLogs))
}

// belongsTo reports whether a job has the given ID or belongs to the executor with the given ID.
func belongsTo(job, id string) bool {
	return id == "" || job == id || strings.HasPrefix(job, id+"-")
}

// WatchJobs returns a watcher for callers that poll jobs. It reads nothing before its Refresh.
func (s *Service) WatchJobs(req JobsRequest) *jobs.Watcher {
	return jobs.New(&s.Site, req.since(), nil)
}

// ListJobs returns the visible jobs, newest first.
func (s *Service) ListJobs(ctx context.Context, req JobsRequest) ([]entity.Job, error) {
	op := i18n.M("Looking up jobs in {{.Place}}", "Place", s.Scope())
	return during(s, op, func() ([]entity.Job, error) {
		w, err := s.readJobs(ctx, req, req.Executor)
		if err != nil {
			return nil, err
		}
		return jobsOf(w, req.Executor), nil
	})
}

// JobDetail is a job with its calls in the order of their IDs.
type JobDetail struct {
	entity.Job
	List []entity.Call
}

// ShowJob returns one job. It returns a fault.NotFound error if there is no trace of it.
func (s *Service) ShowJob(ctx context.Context, id string, req JobsRequest) (JobDetail, error) {
	op := i18n.M("Looking up job {{.Job}} in {{.Place}}", "Job", id, "Place", s.Scope())
	return during(s, op, func() (JobDetail, error) {
		w, err := s.readJobs(ctx, req, id)
		if err != nil {
			return JobDetail{}, err
		}
		job, calls, ok := w.Job(id, time.Now())
		if !ok {
			return JobDetail{}, JobNotFound(id)
		}
		return JobDetail{job, calls}, nil
	})
}

// readJobs reads the jobs once, or, with Follow, until the selected jobs are done.
func (s *Service) readJobs(ctx context.Context, req JobsRequest, id string) (*jobs.Watcher, error) {
	w := s.WatchJobs(req)
	for failed, quiet := 0, 0; ; {
		_, err := w.Refresh(ctx)
		if failed++; err != nil && (!req.Follow || ctx.Err() != nil || failed >= maxFailedRefreshes) {
			return nil, err
		}
		if err == nil {
			failed = 0
			list := jobsOf(w, id)
			// Another call may follow that is not visible yet, so the jobs must be done in two consecutive refreshes.
			if quiet++; s.reportCalls(list) {
				quiet = 0
			}
			if !req.Follow || len(list) == 0 || quiet > 1 {
				return w, nil
			}
		}
		if err := parallel.Sleep(ctx, w.Pause()); err != nil {
			return nil, err
		}
	}
}

// reportCalls reports the number of ended calls as progress. It reports whether a call is waiting or running.
func (s *Service) reportCalls(list []entity.Job) (open bool) {
	ended, total := 0, 0
	for _, j := range list {
		ended, total = ended+j.Calls.Done+j.Calls.Failed, total+j.Calls.Total
	}
	if ended < total {
		s.Progress(ended, total)
	}
	return ended < total
}

func jobsOf(w *jobs.Watcher, id string) []entity.Job {
	return slices.DeleteFunc(w.Jobs(time.Now()), func(j entity.Job) bool { return !belongsTo(j.ID, id) })
}

// JobNotFound returns the error for a job of which there is no trace.
func JobNotFound(id string) error {
	return fault.New(fault.NotFound,
		i18n.M("Job {{.Job}} was not found.", "Job", text.Line(id, 200)),
		i18n.M("List the jobs with 'ibmcloud fn-runtime jobs'; use '--since' to include older jobs."))
}
