package runtime

import (
	"context"
	"time"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/jobs"
	"fn-runtime/runtime/text"
)

// JobsRequest says which jobs to look for.
type JobsRequest struct {
	Since time.Duration // how far back; 0 is a day
}

func (r JobsRequest) since() time.Time {
	if r.Since <= 0 {
		r.Since = 24 * time.Hour
	}
	return time.Now().Add(-r.Since)
}

// WatchJobs gives the jobs to whoever looks at them again and again. Nothing is read before its Refresh.
func (s *Service) WatchJobs(req JobsRequest) *jobs.Watch {
	return jobs.New(&s.Site, req.since(), nil)
}

// ListJobs gives the jobs that are to be seen, the newest first.
func (s *Service) ListJobs(ctx context.Context, req JobsRequest) ([]entity.Job, error) {
	op := i18n.M("Looking for jobs in namespace {{.Namespace}}", "Namespace", s.Target.Namespace)
	return during(s, op, func() ([]entity.Job, error) {
		w := s.WatchJobs(req)
		if _, err := w.Refresh(ctx); err != nil {
			return nil, err
		}
		return w.Jobs(time.Now()), nil
	})
}

// JobDetail is a job with its calls in the order of their ids.
type JobDetail struct {
	entity.Job
	List []entity.Call
}

// ShowJob gives one job; fault.NotFound when nothing of it is to be seen.
func (s *Service) ShowJob(ctx context.Context, id string, req JobsRequest) (JobDetail, error) {
	op := i18n.M("Looking for job {{.Job}} in namespace {{.Namespace}}", "Job", id, "Namespace", s.Target.Namespace)
	return during(s, op, func() (JobDetail, error) {
		w := s.WatchJobs(req)
		if _, err := w.Refresh(ctx); err != nil {
			return JobDetail{}, err
		}
		job, calls, ok := w.Job(id, time.Now())
		if !ok {
			return JobDetail{}, NoJob(id)
		}
		return JobDetail{job, calls}, nil
	})
}

// NoJob is the fault for a job of which nothing is to be seen.
func NoJob(id string) error {
	return fault.New(fault.NotFound,
		i18n.M("There is no trace of job {{.Job}}.", "Job", text.Line(id, 200)),
		i18n.M("List the jobs that are to be seen with 'ibmcloud fn-runtime jobs'; '--since' reaches further back."))
}
