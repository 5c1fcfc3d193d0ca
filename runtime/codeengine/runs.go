package codeengine

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// runDoc is a job run. Fields that it does not set are taken from the job.
type runDoc struct {
	Name       string     `json:"name"`
	JobName    string     `json:"job_name,omitempty"`
	ArraySpec  string     `json:"scale_array_spec,omitempty"`
	RetryLimit *int       `json:"scale_retry_limit,omitempty"`
	Env        []variable `json:"run_env_variables,omitempty"`

	// Set by the service.
	Image     string    `json:"image_reference,omitempty"`
	CPU       string    `json:"scale_cpu_limit,omitempty"`
	Memory    string    `json:"scale_memory_limit,omitempty"`
	Mounts    []mount   `json:"run_volume_mounts,omitempty"`
	CreatedAt time.Time `json:"created_at,omitzero"`
	Status    string    `json:"status,omitempty"` // "pending", "running", "completed", "failed"
	Details   *struct {
		Requested      int       `json:"requested"`
		Pending        int       `json:"pending"`
		Running        int       `json:"running"`
		Succeeded      int       `json:"succeeded"`
		Failed         int       `json:"failed"`
		StartTime      time.Time `json:"start_time,omitzero"`
		CompletionTime time.Time `json:"completion_time,omitzero"`
		Indices        map[string]struct {
			Reason string `json:"last_failure_reason"`
		} `json:"indices_details"`
	} `json:"status_details,omitempty"`
}

// ended reports whether a run has ended and whether it succeeded, by the rules of the Lithops client.
func (r runDoc) ended() (done, success bool) {
	switch d := r.Details; {
	case r.Status == "completed", d != nil && d.Requested > 0 && d.Succeeded >= d.Requested:
		return true, true
	case r.Status == "failed", d != nil && d.Failed > 0 && r.Status != "pending" && r.Status != "running":
		return true, false
	}
	return false, false
}

// pending reports whether no instance of the run has started.
func (r runDoc) pending() bool {
	return r.Status == "pending" || r.Status == "" || r.Details != nil && r.Details.Running+r.Details.Succeeded+r.Details.Failed == 0
}

// reason returns the reason of the service for the failure of an instance. It returns "" if the service does not
// report one.
func (r runDoc) reason() string {
	if r.Details != nil {
		for _, i := range r.Details.Indices {
			if i.Reason != "" {
				return i.Reason
			}
		}
	}
	return ""
}

// runs returns the runs of a job, or of the whole project if job is empty.
func (c *Client) runs(ctx context.Context, job string) ([]runDoc, error) {
	var query url.Values
	if job != "" {
		query = url.Values{"job_name": {job}}
	}
	return list[runDoc](ctx, subject{kind: "job run"}, "job_runs", query, c.doInProject, "job_runs")
}

// getRun returns a run. It returns a fault.NotFound error if the run does not exist.
func (c *Client) getRun(ctx context.Context, name string) (r runDoc, err error) {
	if err := checkName(name); err != nil {
		return r, err
	}
	err = c.doInProject(ctx, request{method: http.MethodGet, path: []string{"job_runs", name}, about: subject{"job run", name}}, &r)
	r.Name = name
	return r, err
}

// startRun starts a run. It returns a fault.NotFound error if the job does not exist, and a fault.Conflict error if a
// run with this name exists.
func (c *Client) startRun(ctx context.Context, r runDoc) (started runDoc, err error) {
	err = c.doInProject(ctx, request{method: http.MethodPost, path: []string{"job_runs"}, body: r, about: subject{"job", r.JobName}}, &started)
	started.Name = r.Name
	return started, err
}

// deleteRun stops and deletes a run. It returns a fault.NotFound error if the run does not exist.
func (c *Client) deleteRun(ctx context.Context, name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	return c.doInProject(ctx, request{method: http.MethodDelete, path: []string{"job_runs", name}, about: subject{"job run", name}}, nil)
}
