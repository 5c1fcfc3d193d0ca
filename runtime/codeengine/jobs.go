package codeengine

import (
	"context"
	"encoding/json"
	"net/http"
	"time"
)

// jobDoc is a job definition: the image, the command and the resources.
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

	// Set by the service.
	Tag       string    `json:"entity_tag,omitempty"`
	CreatedAt time.Time `json:"created_at,omitzero"`
}

// variable is an environment variable: a value, or a reference to a key of a config map or secret.
type variable struct {
	Type      string `json:"type"` // "literal" or one of the references
	Name      string `json:"name,omitempty"`
	Value     string `json:"value,omitempty"`
	Reference string `json:"reference,omitempty"`
	Key       string `json:"key,omitempty"`
	Prefix    string `json:"prefix,omitempty"`
}

// mount mounts the keys of a config map as files.
type mount struct {
	Type      string `json:"type"`
	Reference string `json:"reference"`
	Path      string `json:"mount_path"`
}

func literal(name, value string) variable { return variable{Type: "literal", Name: name, Value: value} }

// variable returns the value of a literal variable of the job. It returns "" if there is none.
func (j jobDoc) variable(name string) string {
	for _, v := range j.Env {
		if v.Name == name && (v.Type == "literal" || v.Type == "") {
			return v.Value
		}
	}
	return ""
}

// jobs returns the jobs of the project.
func (c *Client) jobs(ctx context.Context) ([]jobDoc, error) {
	return list[jobDoc](ctx, subject{kind: "job"}, "jobs", nil, c.doInProject, "jobs")
}

// getJob returns a job. It returns a fault.NotFound error if the job does not exist.
func (c *Client) getJob(ctx context.Context, name string) (j jobDoc, err error) {
	if err := checkName(name); err != nil {
		return j, err
	}
	return j, c.sendJobRequest(ctx, request{method: http.MethodGet, path: []string{"jobs", name}, about: subject{"job", name}}, &j)
}

// createJob creates a job. It returns a fault.Conflict error if a job with this name exists.
func (c *Client) createJob(ctx context.Context, j jobDoc) (created jobDoc, err error) {
	if err := checkName(j.Name); err != nil {
		return created, err
	}
	return created, c.sendJobRequest(ctx, request{method: http.MethodPost, path: []string{"jobs"}, body: j, about: subject{"job", j.Name}}, &created)
}

// updateJob updates the job current to j. It returns a fault.Conflict error if the job has changed since current was
// read, and a fault.NotFound error if the job was deleted.
func (c *Client) updateJob(ctx context.Context, current, j jobDoc) (updated jobDoc, err error) {
	name := current.Name
	if err := checkName(name); err != nil {
		return updated, err
	}
	data, err := json.Marshal(j)
	if err != nil {
		return updated, err
	}
	var patch map[string]any
	if err := json.Unmarshal(data, &patch); err != nil {
		return updated, err
	}
	delete(patch, "name")
	if len(j.Mounts) == 0 {
		patch["run_volume_mounts"] = []mount{}
	}
	if j.ImageSecret == "" && current.ImageSecret != "" {
		patch["image_secret"] = nil
	}
	r := request{method: http.MethodPatch, path: []string{"jobs", name}, body: patch, ifMatch: current.Tag, about: subject{"job", name}}
	return updated, c.sendJobRequest(ctx, r, &updated)
}

// sendJobRequest sends a request whose response is a job.
func (c *Client) sendJobRequest(ctx context.Context, r request, j *jobDoc) error {
	if err := c.doInProject(ctx, r, j); err != nil {
		return err
	}
	if j.Image == "" {
		return unreadableResponse(r.about, nil)
	}
	j.Name = r.about.name
	return nil
}

// deleteJob deletes a job with its runs. It returns a fault.NotFound error if the job does not exist.
func (c *Client) deleteJob(ctx context.Context, name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	return c.doInProject(ctx, request{method: http.MethodDelete, path: []string{"jobs", name}, about: subject{"job", name}}, nil)
}
