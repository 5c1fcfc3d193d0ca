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

// JobsRequest says which jobs to look for.
type JobsRequest struct {
	Since    time.Duration // how far back; 0 is a day
	Executor string        // only its jobs; "" any
	Follow   bool          // wait until none of their calls waits or runs
}

func (r JobsRequest) since() time.Time {
	return time.Now().Add(-cmp.Or(max(r.Since, 0), jobLogs))
}

// ofJob reports whether a job is the one, or of the executor, that is asked for by that id.
func ofJob(job, id string) bool {
	return id == "" || job == id || strings.HasPrefix(job, id+"-")
}

// WatchJobs gives the jobs to whoever looks at them again and again. Nothing is read before its Refresh.
func (s *Service) WatchJobs(req JobsRequest) *jobs.Watcher {
	return jobs.New(&s.Site, req.since(), nil)
}

// ListJobs returns the jobs that are to be seen, the newest first.
func (s *Service) ListJobs(ctx context.Context, req JobsRequest) ([]entity.Job, error) {
	op := i18n.M("Looking up jobs in {{.Place}}", "Place", s.Scope())
	return during(s, op, func() ([]entity.Job, error) {
		w, err := s.lookForJobs(ctx, req, req.Executor)
		if err != nil {
			return nil, err
		}
		return jobsOf(w, req.Executor), nil
	})
}

// JobDetail is a job with its calls in the order of their ids.
type JobDetail struct {
	entity.Job
	List []entity.Call
}

// ShowJob returns one job; fault.NotFound when nothing of it is to be seen.
func (s *Service) ShowJob(ctx context.Context, id string, req JobsRequest) (JobDetail, error) {
	op := i18n.M("Looking up job {{.Job}} in {{.Place}}", "Job", id, "Place", s.Scope())
	return during(s, op, func() (JobDetail, error) {
		w, err := s.lookForJobs(ctx, req, id)
		if err != nil {
			return JobDetail{}, err
		}
		job, calls, ok := w.Job(id, time.Now())
		if !ok {
			return JobDetail{}, NoJob(id)
		}
		return JobDetail{job, calls}, nil
	})
}

// lookForJobs reads what is to be seen, once, or until the jobs of that id are done.
func (s *Service) lookForJobs(ctx context.Context, req JobsRequest, id string) (*jobs.Watcher, error) {
	w := s.WatchJobs(req)
	for failed, quiet := 0, 0; ; {
		_, err := w.Refresh(ctx)
		if failed++; err != nil && (!req.Follow || ctx.Err() != nil || failed >= patience) {
			return nil, err
		}
		if err == nil {
			failed = 0
			list := jobsOf(w, id)
			// A call that nobody has seen yet may follow: that all is done is believed when it is seen twice.
			if quiet++; s.countCalls(list) {
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

// countCalls reports how many calls have ended to whoever watches, and whether any waits or runs.
func (s *Service) countCalls(list []entity.Job) (open bool) {
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
	return slices.DeleteFunc(w.Jobs(time.Now()), func(j entity.Job) bool { return !ofJob(j.ID, id) })
}

// NoJob is the fault for a job of which nothing is to be seen.
func NoJob(id string) error {
	return fault.New(fault.NotFound,
		i18n.M("Job {{.Job}} was not found.", "Job", text.Line(id, 200)),
		i18n.M("List the jobs with 'ibmcloud fn-runtime jobs'; use '--since' to include older jobs."))
}
