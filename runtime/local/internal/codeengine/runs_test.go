package codeengine

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/local/invoke"
	"fn-runtime/runtime/runtimetest"
)

// A run uses the Python interpreter in the notes of a deployment. Other values of that variable are ignored.
func TestRunUsesInterpreterOfNotes(t *testing.T) {
	for notes, want := range map[string]string{
		`{"fn-runtime-interpreter":"/opt/venv/bin/python"}`: "/opt/venv/bin/python",
		`{"fn-runtime-interpreter":"python"}`:               "python3",
		`{"fn-runtime-interpreter":3}`:                      "python3",
		"of another program":                                "python3",
	} {
		f := newFixture(t, &fakeInvoker{})
		variable, err := json.Marshal(map[string]string{"name": entity.NotesVariable, "value": notes})
		if err != nil {
			t.Fatal(err)
		}
		f.want(201, "POST", "jobs", job("j", `,"run_env_variables":[`+string(variable)+`]`))
		f.want(202, "POST", "job_runs", `{"job_name":"j","name":"r"}`)
		f.waitForEnd("r")
		if got := f.invoker.seen[0].python; got != want {
			t.Errorf("%s: the run uses %q, want %q", notes, got, want)
		}
	}
}

// A run inherits from its job, resolves references, retries failed instances, and returns the details of each index.
func TestRunInheritsRetriesAndReports(t *testing.T) {
	f := newFixture(t, &fakeInvoker{exit: func(index, attempt string) int {
		switch {
		case index == "1" && attempt == "0":
			return 3
		case index == "2":
			return 137
		}
		return 0
	}})
	f.want(201, "POST", "config_maps", `{"name":"m","data":{"code":"print(1)","p":"payload"}}`)
	f.want(201, "POST", "jobs", job("j", `,"run_commands":["python"],"run_arguments":["/m/code"],"scale_retry_limit":2,
		"run_env_variables":[{"type":"literal","name":"ACTION","value":"run"},{"type":"literal","name":"KEPT","value":"1"}],
		"run_volume_mounts":[{"type":"config_map","reference":"m","mount_path":"/m"}]`))
	f.want(202, "POST", "job_runs", `{"job_name":"j","name":"r","scale_array_spec":"0-2","run_env_variables":[{"type":"literal","name":"ACTION","value":"metadata"},
		{"type":"config_map_key_reference","name":"PAYLOAD","reference":"m","key":"p"}]}`)
	doc := f.waitForEnd("r")
	d := doc["status_details"].(map[string]any)
	if doc["status"] != "failed" || d["succeeded_indices"] != "0-1" || d["failed_indices"] != "2" || d["requested"] != 3.0 {
		t.Errorf("the run ended as %v: %v", doc["status"], d)
	}
	each := d["indices_details"].(map[string]any)
	for index, want := range map[string][]any{"0": {"succeeded", nil, 0.0}, "1": {"succeeded", "ContainerExitedCode3", 1.0}, "2": {"failed", "OOMKilled", 2.0}} {
		x := each[index].(map[string]any)
		if got := []any{x["status"], x["last_failure_reason"], x["retries"]}; !cmp.Equal(got, want) {
			t.Errorf("index %s: %v, want %v", index, got, want)
		}
	}
	a := f.invoker.seen[0]
	if !cmp.Equal(a.Command, []string{"python"}) || !cmp.Equal(a.Args, []string{"/m/code"}) || !cmp.Equal(a.Mounts, []string{"/m"}) {
		t.Errorf("an instance ran %+v", a)
	}
	for name, want := range map[string]string{"ACTION": "metadata", "KEPT": "1", "PAYLOAD": "payload", "JOB_ARRAY_SIZE": "3", "CE_JOB": "j", "CE_JOBRUN": "r", "CE_REGION": "eu-de", "JOB_RETRY_LIMIT": "2"} {
		if a.Env[name] != want {
			t.Errorf("%s is %q, want %q", name, a.Env[name], want)
		}
	}
	f.want(409, "POST", "job_runs", `{"job_name":"j","name":"r"}`)
	f.want(202, "DELETE", "jobs/j", "") // also deletes the runs of the job
	f.want(404, "GET", "job_runs/r", "")
}

func (f *fixture) waitForEnd(name string) map[string]any {
	f.Helper()
	var doc map[string]any
	f.eventually(func() bool {
		doc = f.want(200, "GET", "job_runs/"+name, "")
		return doc["status"] == "completed" || doc["status"] == "failed"
	})
	return doc
}

// Deleting a run kills it. A run whose config map is missing waits for it, like a pod.
func TestDeleteKillsRun(t *testing.T) {
	s := &fakeInvoker{release: make(chan struct{})}
	f := newFixture(t, s)
	f.want(201, "POST", "jobs", job("j", ""))
	f.want(202, "POST", "job_runs", `{"job_name":"j","name":"r","scale_array_spec":"0-99"}`)
	f.want(202, "POST", "job_runs", `{"job_name":"j","name":"waits","run_env_variables":[{"type":"config_map_full_reference","reference":"missing"}]}`)
	f.eventually(func() bool { return f.want(200, "GET", "job_runs/r", "")["status"] == "running" })
	if s := f.want(200, "GET", "job_runs/waits", "")["status"]; s != "pending" {
		t.Errorf("a run without its config map is %v", s)
	}
	f.want(202, "DELETE", "job_runs/r", "")
	f.want(404, "GET", "job_runs/r", "")
	f.want(202, "DELETE", "job_runs/waits", "")
	f.eventually(func() bool { return f.api.Running() == 0 })
}

func (f *fixture) eventually(condition func() bool) {
	f.Helper()
	runtimetest.Eventually(f, "the expected state", condition)
}

// The time limit of an instance includes its retries. An instance that reaches the limit is not retried.
func TestTimeLimitIncludesRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ran := []time.Duration{}
		v := invokerFunc(func(_ context.Context, inv invoke.Invocation) (invoke.Outcome, error) {
			inv.Started()
			limit := time.Duration(inv.TimeoutMS) * time.Millisecond
			ran = append(ran, limit)
			if len(ran) == 1 {
				time.Sleep(40 * time.Second)
				return invoke.Outcome{Status: invoke.Success, Result: json.RawMessage(`{"exit":1}`), InitMS: 1, RunMS: 40_000}, nil
			}
			time.Sleep(limit)
			return invoke.Outcome{Status: invoke.DeveloperError, Result: json.RawMessage(`{"error":"time"}`), InitMS: 1, RunMS: limit.Milliseconds()}, nil
		})
		a := &api{Config: Config{Invoker: v, Now: time.Now, Log: slog.New(slog.DiscardHandler)}}
		r := &run{rec: record{Instances: []instance{{Status: "pending"}}}}
		r.ctx, r.cancel = context.WithCancelCause(t.Context())
		a.runInstance(r, &instanceConfig{limit: time.Minute, retries: 3, env: map[string]string{}}, 0)
		x := r.snapshot()[0]
		if !cmp.Equal(ran, []time.Duration{time.Minute, 20 * time.Second}) || x.Status != "failed" || x.Reason != deadlineExceeded {
			t.Errorf("the time limits of the attempts are %v, the instance ended as %+v", ran, x)
		}
	})
}

type invokerFunc func(context.Context, invoke.Invocation) (invoke.Outcome, error)

func (f invokerFunc) Run(ctx context.Context, inv invoke.Invocation) (invoke.Outcome, error) {
	return f(ctx, inv)
}

func (invokerFunc) Close(context.Context) error { return nil }

// Runs of a killed endpoint are recorded as failed.
func TestRunsOfKilledEndpointAreFailed(t *testing.T) {
	f := newFixture(t, &fakeInvoker{release: make(chan struct{})})
	f.want(201, "POST", "jobs", job("j", ""))
	f.want(202, "POST", "job_runs", `{"job_name":"j","name":"r"}`)
	again, err := New(Config{DB: f.db, Invoker: f.invoker, Token: "token"})
	if err != nil {
		t.Fatal(err)
	}
	f.api, again = again, f.api
	doc := f.want(200, "GET", "job_runs/r", "")
	if doc["status"] != "failed" || !strings.Contains(fmt.Sprint(doc["status_details"]), "EndpointEnded") {
		t.Errorf("the run is %v: %v", doc["status"], doc["status_details"])
	}
	f.api = again
}
