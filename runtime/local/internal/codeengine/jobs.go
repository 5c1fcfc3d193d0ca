package codeengine

import (
	"encoding/json"
	"errors"
	"net/http"

	"fn-runtime/runtime/local/internal/state"
)

// jobs are changed by a merge patch: fields that it names are replaced as a whole, null takes the default.
func (a *api) jobs() *kind {
	return &kind{
		path: "jobs", typ: "job_v2", limit: 100, status: http.StatusCreated, change: http.MethodPatch,
		make: func(c call) (string, any, error) {
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
			body.complete()
			return body.Name, body.spec, body.check()
		},
		remake: func(c call, old json.RawMessage) (any, error) {
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
				return nil, invalid("The body is not what the resource needs: %s", err)
			}
			s.complete()
			return s, s.check()
		},
		show: func(_ call, r state.Resource) (doc map[string]any, err error) {
			err = json.Unmarshal(r.Doc, &doc)
			if err == nil {
				doc["computed_env_variables"] = []any{}
			}
			return doc, err
		},
		gone: a.removeRunsOf,
	}
}

// removeRunsOf ends and removes the runs of a job that has been removed.
func (a *api) removeRunsOf(c call, job state.Resource) error {
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
		a.kill(func(run *run) bool { return run.id == r.ID })
	}
	return nil
}
