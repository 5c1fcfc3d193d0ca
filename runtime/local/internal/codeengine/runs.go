package codeengine

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"fn-runtime/runtime/local/internal/state"
)

// Limits of runs: the length of a name, how long an ended run is kept, and the number of active instances in a project.
const (
	maxRunName   = 53
	runAge       = 7 * 24 * time.Hour
	maxInstances = 2500
)

// record is the document of a job run.
type record struct {
	spec
	JobName   string     `json:"job_name,omitempty"`
	Instances []instance `json:"instances"` // by index
	Finished  int64      `json:"finished,omitempty"`
}

// instance is one array index of a run.
type instance struct {
	Index    int    `json:"index"`
	Status   string `json:"status"`           // pending, running, succeeded, failed
	Reason   string `json:"reason,omitempty"` // why the last attempt failed
	Retries  int    `json:"retries,omitempty"`
	Started  int64  `json:"started,omitempty"` // epoch ms, 0 if it has not started
	Finished int64  `json:"finished,omitempty"`
}

func (a *api) runs() *kind {
	return &kind{
		path: "job_runs", resourceType: "job_run_v2", limit: 100, status: http.StatusAccepted,
		newDoc: a.newRun, show: a.showRun,
		afterCreate: func(c call, r state.Resource) error { return a.startRun(c.project, r) },
		afterDelete: func(_ call, r state.Resource) error {
			a.killRuns(func(run *run) bool { return run.id == r.ID })
			return nil
		},
	}
}

func (a *api) newRun(c call) (string, any, error) {
	var body struct {
		Name    string `json:"name"`
		JobName string `json:"job_name"`
		spec
	}
	if err := decode(c, &body); err != nil {
		return "", nil, err
	}
	rec := record{spec: body.spec, JobName: body.JobName}
	if body.JobName != "" {
		job, err := a.DB.Resource(c.project.ID, "jobs", body.JobName)
		if errors.Is(err, state.ErrNotFound) {
			return "", nil, &apiError{http.StatusNotFound, "resource_not_found", "The job does not exist."}
		}
		var s spec
		if err == nil {
			err = json.Unmarshal(job.Doc, &s)
		}
		if err != nil {
			return "", nil, err
		}
		rec.spec = body.spec.inherit(s)
	}
	rec.setDefaults()
	if err := rec.check(); err != nil {
		return "", nil, err
	}
	if body.Name == "" {
		body.Name = strings.TrimPrefix(body.JobName[:min(len(body.JobName), maxRunName-6)]+"-"+strings.ToLower(rand.Text()[:5]), "-")
	}
	if err := checkName("job run", body.Name, label, maxRunName); err != nil {
		return "", nil, err
	}
	list, err := parseIndices(rec.ScaleArraySpec)
	if err != nil {
		return "", nil, err
	}
	for _, i := range list {
		rec.Instances = append(rec.Instances, instance{Index: i, Status: "pending"})
	}
	if a.activeInstances(c.project.ID)+len(list) > maxInstances {
		return "", nil, quotaExceeded("pending and running job run instances", maxInstances)
	}
	return body.Name, rec, a.deleteOldRuns(c.project.ID)
}

// deleteOldRuns deletes runs that ended more than a week ago.
func (a *api) deleteOldRuns(project string) error {
	all, err := a.DB.Resources(project, "job_runs")
	if err != nil {
		return err
	}
	oldest := a.Now().Add(-runAge).UnixMilli()
	for _, r := range all {
		var rec record
		if err := json.Unmarshal(r.Doc, &rec); err != nil {
			return err
		}
		if rec.Finished != 0 && rec.Finished < oldest {
			if _, err := a.DB.DeleteResource(project, "job_runs", r.Name); err != nil && !errors.Is(err, state.ErrNotFound) {
				return err
			}
		}
	}
	return nil
}

func (a *api) showRun(_ call, r state.Resource) (map[string]any, error) {
	var rec record
	if err := json.Unmarshal(r.Doc, &rec); err != nil {
		return nil, err
	}
	a.mu.Lock()
	live := a.activeRuns[r.ID]
	a.mu.Unlock()
	if live != nil {
		rec.Instances = live.snapshot()
	}
	text, err := json.Marshal(rec.spec)
	if err != nil {
		return nil, err
	}
	var doc map[string]any
	if err := json.Unmarshal(text, &doc); err != nil {
		return nil, err
	}
	doc["computed_env_variables"] = []any{}
	if rec.JobName != "" {
		doc["job_name"] = rec.JobName
	}
	doc["status"], doc["status_details"] = statusOf(rec.Instances)
	return doc, nil
}

// statusOf returns the status and the status_details of a run with these instances.
func statusOf(instances []instance) (string, map[string]any) {
	lists := map[string][]int{}
	each := map[string]any{}
	first, last := int64(0), int64(0)
	for _, i := range instances {
		lists[i.Status] = append(lists[i.Status], i.Index)
		d := map[string]any{"status": i.Status, "retries": i.Retries}
		if i.Reason != "" {
			d["last_failure_reason"] = i.Reason
		}
		if i.Started != 0 {
			d["started_at"] = formatTime(i.Started)
			if first == 0 || i.Started < first {
				first = i.Started
			}
		}
		if i.Finished != 0 {
			d["finished_at"] = formatTime(i.Finished)
			last = max(last, i.Finished)
		}
		each[strconv.Itoa(i.Index)] = d
	}
	details := map[string]any{"requested": len(instances), "unknown": 0, "indices_details": each}
	for _, s := range []string{"pending", "running", "succeeded", "failed"} {
		details[s] = len(lists[s])
		if text := formatIndices(lists[s]); text != "" {
			details[s+"_indices"] = text
		}
	}
	if first != 0 {
		details["start_time"] = formatTime(first)
	}
	switch {
	case len(lists["succeeded"]) == len(instances):
		details["completion_time"] = formatTime(last)
		return "completed", details
	case len(lists["pending"])+len(lists["running"]) == 0:
		details["completion_time"] = formatTime(last)
		return "failed", details
	case len(lists["pending"]) == len(instances):
		return "pending", details
	}
	return "running", details
}

// activeInstances returns the number of instances of a project that have not ended.
func (a *api) activeInstances(project string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := 0
	for _, r := range a.activeRuns {
		if r.project.ID == project {
			for _, i := range r.snapshot() {
				if i.Finished == 0 {
					n++
				}
			}
		}
	}
	return n
}

// killRuns kills the runs for which match returns true. The processes and containers of their instances end shortly
// afterwards.
func (a *api) killRuns(match func(*run) bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, r := range a.activeRuns {
		if match(r) {
			r.cancel(context.Canceled)
		}
	}
}

// recover records the runs that a killed endpoint left unfinished as failed.
func (a *api) recover() error {
	projects, err := a.DB.Projects()
	if err != nil {
		return err
	}
	for _, p := range projects {
		all, err := a.DB.Resources(p.ID, "job_runs")
		if err != nil {
			return err
		}
		for _, r := range all {
			var rec record
			if err := json.Unmarshal(r.Doc, &rec); err != nil {
				return err
			}
			if rec.Finished != 0 {
				continue
			}
			rec.failUnfinished("EndpointEnded", a.Now().UnixMilli())
			if err := a.saveRun(p.ID, r, rec); err != nil {
				return err
			}
		}
	}
	return nil
}

// failUnfinished marks the instances that have not ended as failed.
func (rec *record) failUnfinished(reason string, now int64) {
	for i := range rec.Instances {
		if x := &rec.Instances[i]; x.Finished == 0 {
			x.Status, x.Reason, x.Finished = "failed", reason, now
		}
	}
	rec.Finished = now
}

// saveRun writes the document of a run, unless the run has been deleted or replaced.
func (a *api) saveRun(project string, r state.Resource, rec record) error {
	_, err := a.DB.PutResource(project, "job_runs", r.Name, maxSpec+len(rec.Instances)*200, func(old *state.Resource, _ int) (state.Resource, error) {
		if old == nil || old.ID != r.ID {
			return state.Resource{}, state.ErrNotFound
		}
		next := *old
		var err error
		next.Doc, err = json.Marshal(rec)
		return next, err
	})
	if errors.Is(err, state.ErrNotFound) {
		return nil
	}
	return err
}
