package codeengine

import (
	"context"
	"encoding/json"
	"net/http"
	"time"
)

// Job is a job definition: what runs, with which resources.
type Job struct {
	Name             string     `json:"name,omitempty"`
	Image            string     `json:"image_reference"`
	ImageSecret      string     `json:"image_secret,omitempty"`
	Commands         []string   `json:"run_commands"`
	Arguments        []string   `json:"run_arguments"`
	Env              []Variable `json:"run_env_variables"`
	Mounts           []Mount    `json:"run_volume_mounts,omitempty"`
	Mode             string     `json:"run_mode"`
	ArraySpec        string     `json:"scale_array_spec"`
	CPU              string     `json:"scale_cpu_limit"`
	Memory           string     `json:"scale_memory_limit"`
	MaxExecutionTime int        `json:"scale_max_execution_time"` // seconds
	RetryLimit       int        `json:"scale_retry_limit"`

	// The service's own.
	Tag       string    `json:"entity_tag,omitempty"`
	CreatedAt time.Time `json:"created_at,omitzero"`
}

// Variable is one of the environment: a value, or a reference to a key of a config map or secret.
type Variable struct {
	Type      string `json:"type"` // "literal" or one of the references
	Name      string `json:"name,omitempty"`
	Value     string `json:"value,omitempty"`
	Reference string `json:"reference,omitempty"`
	Key       string `json:"key,omitempty"`
	Prefix    string `json:"prefix,omitempty"`
}

// Mount makes files of the keys of a config map.
type Mount struct {
	Type      string `json:"type"`
	Reference string `json:"reference"`
	Path      string `json:"mount_path"`
}

func literal(name, value string) Variable { return Variable{Type: "literal", Name: name, Value: value} }

// variable gives the value of a literal variable of the job; "" when there is none.
func (j Job) variable(name string) string {
	for _, v := range j.Env {
		if v.Name == name && (v.Type == "literal" || v.Type == "") {
			return v.Value
		}
	}
	return ""
}

// Jobs lists the jobs of the project.
func (c *Client) Jobs(ctx context.Context) ([]Job, error) {
	return list[Job](ctx, subject{kind: "job"}, "jobs", nil, c.in, "jobs")
}

// Job reads one job; fault.NotFound.
func (c *Client) Job(ctx context.Context, name string) (j Job, err error) {
	if err := checkName(name); err != nil {
		return j, err
	}
	return j, c.job(ctx, request{method: http.MethodGet, path: []string{"jobs", name}, about: subject{"job", name}}, &j)
}

// CreateJob makes a job; fault.Conflict when there is one of that name.
func (c *Client) CreateJob(ctx context.Context, j Job) (made Job, err error) {
	if err := checkName(j.Name); err != nil {
		return made, err
	}
	return made, c.job(ctx, request{method: http.MethodPost, path: []string{"jobs"}, body: j, about: subject{"job", j.Name}}, &made)
}

// ChangeJob brings the job have, as it was read, to what is given; fault.Conflict when it has changed since,
// fault.NotFound when it has gone.
func (c *Client) ChangeJob(ctx context.Context, have, j Job) (changed Job, err error) {
	name := have.Name
	if err := checkName(name); err != nil {
		return changed, err
	}
	data, err := json.Marshal(j)
	if err != nil {
		return changed, err
	}
	var patch map[string]any
	if err := json.Unmarshal(data, &patch); err != nil {
		return changed, err
	}
	delete(patch, "name")
	if len(j.Mounts) == 0 {
		patch["run_volume_mounts"] = []Mount{}
	}
	if j.ImageSecret == "" && have.ImageSecret != "" {
		patch["image_secret"] = nil
	}
	r := request{method: http.MethodPatch, path: []string{"jobs", name}, body: patch, match: have.Tag, about: subject{"job", name}}
	return changed, c.job(ctx, r, &changed)
}

// job makes a request that is answered with a job.
func (c *Client) job(ctx context.Context, r request, j *Job) error {
	if err := c.in(ctx, r, j); err != nil {
		return err
	}
	if j.Image == "" {
		return unreadable(r.about, nil)
	}
	j.Name = r.about.name
	return nil
}

// DeleteJob removes a job with its runs; fault.NotFound.
func (c *Client) DeleteJob(ctx context.Context, name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	return c.in(ctx, request{method: http.MethodDelete, path: []string{"jobs", name}, about: subject{"job", name}}, nil)
}
