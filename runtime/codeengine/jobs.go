package codeengine

import (
	"context"
	"encoding/json"
	"net/http"
	"time"
)

// jobDoc is a job definition: what runs, with which resources.
type jobDoc struct {
	Name             string     `json:"name,omitempty"`
	Image            string     `json:"image_reference"`
	ImageSecret      string     `json:"image_secret,omitempty"`
	Commands         []string   `json:"run_commands"`
	Arguments        []string   `json:"run_arguments"`
	Env              []variable `json:"run_env_variables"`
	Mounts           []mount    `json:"run_volume_mounts,omitempty"`
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

// variable is one of the environment: a value, or a reference to a key of a config map or secret.
type variable struct {
	Type      string `json:"type"` // "literal" or one of the references
	Name      string `json:"name,omitempty"`
	Value     string `json:"value,omitempty"`
	Reference string `json:"reference,omitempty"`
	Key       string `json:"key,omitempty"`
	Prefix    string `json:"prefix,omitempty"`
}

// mount makes files of the keys of a config map.
type mount struct {
	Type      string `json:"type"`
	Reference string `json:"reference"`
	Path      string `json:"mount_path"`
}

func literal(name, value string) variable { return variable{Type: "literal", Name: name, Value: value} }

// variable returns the value of a literal variable of the job; "" when there is none.
func (j jobDoc) variable(name string) string {
	for _, v := range j.Env {
		if v.Name == name && (v.Type == "literal" || v.Type == "") {
			return v.Value
		}
	}
	return ""
}

// jobs lists the jobs of the project.
func (c *Client) jobs(ctx context.Context) ([]jobDoc, error) {
	return list[jobDoc](ctx, subject{kind: "job"}, "jobs", nil, c.in, "jobs")
}

// getJob reads one job; fault.NotFound.
func (c *Client) getJob(ctx context.Context, name string) (j jobDoc, err error) {
	if err := checkName(name); err != nil {
		return j, err
	}
	return j, c.jobCall(ctx, request{method: http.MethodGet, path: []string{"jobs", name}, about: subject{"job", name}}, &j)
}

// createJob makes a job; fault.Conflict when there is one of that name.
func (c *Client) createJob(ctx context.Context, j jobDoc) (made jobDoc, err error) {
	if err := checkName(j.Name); err != nil {
		return made, err
	}
	return made, c.jobCall(ctx, request{method: http.MethodPost, path: []string{"jobs"}, body: j, about: subject{"job", j.Name}}, &made)
}

// changeJob brings the job have, as it was read, to what is given; fault.Conflict when it has changed since,
// fault.NotFound when it has gone.
func (c *Client) changeJob(ctx context.Context, have, j jobDoc) (changed jobDoc, err error) {
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
		patch["run_volume_mounts"] = []mount{}
	}
	if j.ImageSecret == "" && have.ImageSecret != "" {
		patch["image_secret"] = nil
	}
	r := request{method: http.MethodPatch, path: []string{"jobs", name}, body: patch, match: have.Tag, about: subject{"job", name}}
	return changed, c.jobCall(ctx, r, &changed)
}

// jobCall makes a request that is answered with a job.
func (c *Client) jobCall(ctx context.Context, r request, j *jobDoc) error {
	if err := c.in(ctx, r, j); err != nil {
		return err
	}
	if j.Image == "" {
		return unreadable(r.about, nil)
	}
	j.Name = r.about.name
	return nil
}

// deleteJob removes a job with its runs; fault.NotFound.
func (c *Client) deleteJob(ctx context.Context, name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	return c.in(ctx, request{method: http.MethodDelete, path: []string{"jobs", name}, about: subject{"job", name}}, nil)
}
