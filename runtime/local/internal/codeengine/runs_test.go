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

// A run has the Python that the notes of a deployment name; what else may be in that variable changes nothing.
func TestThePythonOfARun(t *testing.T) {
	for notes, want := range map[string]string{
		`{"fn-runtime-interpreter":"/opt/venv/bin/python"}`: "/opt/venv/bin/python",
		`{"fn-runtime-interpreter":"python"}`:               "python3",
		`{"fn-runtime-interpreter":3}`:                      "python3",
		"of another program":                                "python3",
	} {
		f := newFixture(t, &scripted{})
		variable, err := json.Marshal(map[string]string{"name": entity.NotesVariable, "value": notes})
		if err != nil {
			t.Fatal(err)
		}
		f.want(201, "POST", "jobs", job("j", `,"run_env_variables":[`+string(variable)+`]`))
		f.want(202, "POST", "job_runs", `{"job_name":"j","name":"r"}`)
		f.ended("r")
		if got := f.invoker.seen[0].python; got != want {
			t.Errorf("%s: the run has %q, want %q", notes, got, want)
		}
	}
}

// A run takes from its job what it does not say itself, resolves what it refers to, retries, and tells of each index.
func TestARunToItsEnd(t *testing.T) {
	f := newFixture(t, &scripted{answer: func(index, attempt string) int {
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
	doc := f.ended("r")
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
	f.want(202, "DELETE", "jobs/j", "") // with its runs
	f.want(404, "GET", "job_runs/r", "")
}

func (f *fixture) ended(name string) map[string]any {
	f.Helper()
	var doc map[string]any
	f.settled(func() bool {
		doc = f.want(200, "GET", "job_runs/"+name, "")
		return doc["status"] == "completed" || doc["status"] == "failed"
	})
	return doc
}

// A run that is deleted is killed, and one whose config map is missing waits, as a pod does.
func TestDeleteKills(t *testing.T) {
	s := &scripted{release: make(chan struct{})}
	f := newFixture(t, s)
	f.want(201, "POST", "jobs", job("j", ""))
	f.want(202, "POST", "job_runs", `{"job_name":"j","name":"r","scale_array_spec":"0-99"}`)
	f.want(202, "POST", "job_runs", `{"job_name":"j","name":"waits","run_env_variables":[{"type":"config_map_full_reference","reference":"missing"}]}`)
	f.settled(func() bool { return f.want(200, "GET", "job_runs/r", "")["status"] == "running" })
	if s := f.want(200, "GET", "job_runs/waits", "")["status"]; s != "pending" {
		t.Errorf("a run without its config map is %v", s)
	}
	f.want(202, "DELETE", "job_runs/r", "")
	f.want(404, "GET", "job_runs/r", "")
	f.want(202, "DELETE", "job_runs/waits", "")
	f.settled(func() bool { return f.api.Running() == 0 })
}

func (f *fixture) settled(is func() bool) {
	f.Helper()
	runtimetest.Eventually(f, "the state that the test waits for", is)
}

// An instance has its time once, retries included: what the invoker ends for it is not tried again.
func TestTheTimeLimitHoldsForAllRetries(t *testing.T) {
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
		r.ctx, r.end = context.WithCancelCause(t.Context())
		a.attempts(r, &work{limit: time.Minute, retries: 3, env: map[string]string{}}, 0)
		x := r.snapshot()[0]
		if !cmp.Equal(ran, []time.Duration{time.Minute, 20 * time.Second}) || x.Status != "failed" || x.Reason != tooLong {
			t.Errorf("attempts had %v, the instance ended as %+v", ran, x)
		}
	})
}

type invokerFunc func(context.Context, invoke.Invocation) (invoke.Outcome, error)

func (f invokerFunc) Run(ctx context.Context, inv invoke.Invocation) (invoke.Outcome, error) {
	return f(ctx, inv)
}

func (invokerFunc) Close(context.Context) error { return nil }

// What a killed endpoint was running has failed.
func TestRunsOfAKilledEndpointHaveFailed(t *testing.T) {
	f := newFixture(t, &scripted{release: make(chan struct{})})
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
