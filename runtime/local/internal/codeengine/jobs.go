package codeengine

import (
	"encoding/json"
	"errors"
	"net/http"

	"fn-runtime/runtime/local/internal/state"
)

// jobs returns the resource kind of jobs. PATCH is a merge patch: it replaces the given fields as a whole, and null
// resets a field to its default.
func (a *api) jobs() *kind {
	return &kind{
		path: "jobs", resourceType: "job_v2", limit: 100, status: http.StatusCreated, updateMethod: http.MethodPatch,
		newDoc: func(c call) (string, any, error) {
			var body struct {
				Name string `json:"name"`
				spec
			}
			if err := decode(c, &body); err != nil {
				return "", nil, err
			}
			if err := checkName("job", body.Name, label, 63); err != nil {
				return "", nil, err
			}
			body.setDefaults()
			return body.Name, body.spec, body.check()
		},
		updateDoc: func(c call, old json.RawMessage) (any, error) {
			var fields, patch map[string]json.RawMessage
			if err := decode(c, &patch); err != nil {
				return nil, err
			}
			if err := json.Unmarshal(old, &fields); err != nil {
				return nil, err
			}
			for name, value := range patch {
				if fields[name] = value; string(value) == "null" {
					delete(fields, name)
				}
			}
			merged, err := json.Marshal(fields)
			if err != nil {
				return nil, err
			}
			var s spec
			if err := json.Unmarshal(merged, &s); err != nil {
				return nil, invalid("The body is not valid for this resource: %s", err)
			}
			s.setDefaults()
			return s, s.check()
		},
		show: func(_ call, r state.Resource) (doc map[string]any, err error) {
			err = json.Unmarshal(r.Doc, &doc)
			if err == nil {
				doc["computed_env_variables"] = []any{}
			}
			return doc, err
		},
		afterDelete: a.deleteRunsOfJob,
	}
}

// deleteRunsOfJob kills and deletes the runs of a deleted job.
func (a *api) deleteRunsOfJob(c call, job state.Resource) error {
	all, err := a.DB.Resources(c.project.ID, "job_runs")
	if err != nil {
		return err
	}
	for _, r := range all {
		var rec record
		if err := json.Unmarshal(r.Doc, &rec); err != nil {
			return err
		}
		if rec.JobName != job.Name {
			continue
		}
		if _, err := a.DB.DeleteResource(c.project.ID, "job_runs", r.Name); err != nil && !errors.Is(err, state.ErrNotFound) {
			return err
		}
		a.killRuns(func(run *run) bool { return run.id == r.ID })
	}
	return nil
}
