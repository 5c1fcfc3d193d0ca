package runtime_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"fn-runtime/i18n"
	"fn-runtime/runtime"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
)

func (w *world) lines(t *testing.T, req runtime.LogsRequest) (lines []string) {
	t.Helper()
	err := w.Logs(t.Context(), req, func(l entity.LogLine) error {
		lines = append(lines, l.Job+"/"+l.Call+" "+l.Text)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

func TestLogsAreFiltered(t *testing.T) {
	w := newWorld(t)
	w.compute.Put(entity.Registered{ID: runtimeID, Reference: "docker.io/me/img", MemoryMB: 512})
	at := time.Now().Add(-time.Minute)
	w.compute.SetActivation(record(activationID(1), at.Add(time.Second), workerLog(at.Add(time.Second), jobID, "00001", "ValueError: no")))
	w.compute.SetActivation(record(activationID(0), at, workerLog(at, jobID, "00000", "")))
	old := at.Add(-time.Hour)
	w.compute.SetActivation(record(activationID(2), old, workerLog(old, "ffffff-0-A001", "00000", "")))
	other := record(activationID(3), at, []string{at.UTC().Format(time.RFC3339Nano) + " stdout: of no job"})
	other.Runtime = entity.ID{Name: "hello"}
	w.compute.SetActivation(other)

	hello := func(req runtime.LogsRequest) (found []string) {
		for _, line := range w.lines(t, req) {
			if strings.Contains(line, "hello") || strings.Contains(line, "of no job") {
				found = append(found, line)
			}
		}
		return found
	}
	const first, second = jobID + "/00000 hello from 00000", jobID + "/00001 hello from 00001"
	for name, c := range map[string]struct {
		req  runtime.LogsRequest
		want []string
	}{
		"all of the last minutes": {runtime.LogsRequest{}, []string{"/ of no job", first, second}},
		"a runtime":               {runtime.LogsRequest{Runtime: "me/img"}, []string{first, second}},
		"a job":                   {runtime.LogsRequest{Job: jobID}, []string{first, second}},
		"an executor":             {runtime.LogsRequest{Job: "a1b2c3-0"}, []string{first, second}},
		"an older job":            {runtime.LogsRequest{Job: "ffffff-0-A001"}, []string{"ffffff-0-A001/00000 hello from 00000"}},
		"a call":                  {runtime.LogsRequest{Job: jobID, Call: "00001"}, []string{second}},
		"an activation":           {runtime.LogsRequest{Activation: activationID(2)}, []string{"ffffff-0-A001/00000 hello from 00000"}},
		"those that failed":       {runtime.LogsRequest{Failed: true}, []string{second}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, hello(c.req)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	functionLines := w.lines(t, runtime.LogsRequest{Job: jobID, Call: "00001"})
	if want := []string{second, jobID + "/00001 Traceback (most recent call last):", jobID + `/00001   File "f.py", line 4, in double`, jobID + "/00001 ValueError: no"}; !slices.Equal(functionLines, want) {
		t.Errorf("a call wrote %q, want %q", functionLines, want)
	}
	if all := w.lines(t, runtime.LogsRequest{Job: jobID, Call: "00001", Worker: true}); len(all) <= len(functionLines) || !slices.ContainsFunc(all, func(l string) bool { return strings.Contains(l, "Getting function") }) {
		t.Errorf("with the lines of the worker: %q", all)
	}
	if got := w.lines(t, runtime.LogsRequest{Last: 3}); len(got) != 3 || !strings.HasPrefix(got[0], jobID+"/00001") {
		t.Errorf("the last three lines are %q", got)
	}
	for name, req := range map[string]runtime.LogsRequest{"job": {Job: "eeeeee-0-M000"}, "activation": {Activation: activationID(99)}} {
		if err := w.Logs(t.Context(), req, nil); !fault.Is(err, fault.NotFound) {
			t.Errorf("a %s that does not exist: %v", name, err)
		}
	}
}

func TestLogsAreReadFromTheBucket(t *testing.T) {
	w := newWorld(t)
	at := time.Now().Add(-time.Minute)
	w.store.Set("lithops.jobs/"+jobID+"/00000/status.json", statusObject(t, "0123456789ab", at, true, workerLog(at, jobID, "00000", "ValueError: no")), at)
	for name, req := range map[string]runtime.LogsRequest{"job": {Job: jobID}, "activation": {Activation: "0123456789ab"}} {
		if got := w.lines(t, req); !slices.Contains(got, jobID+"/00000 ValueError: no") {
			t.Errorf("the log of the %s is %q", name, got)
		}
	}
}

func TestLogsAreFollowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var down atomic.Bool
		w.compute.Hook = func(string, bool) error {
			if down.Load() {
				return fault.New(fault.Unavailable, i18n.M("The service is down."), i18n.Message{})
			}
			return nil
		}
		ctx, stop := context.WithCancel(t.Context())
		got := make(chan string, 100)
		done := make(chan error, 1)
		go func() {
			done <- w.Logs(ctx, runtime.LogsRequest{Follow: true}, func(l entity.LogLine) error {
				if strings.Contains(l.Text, "hello") {
					got <- l.Text
				}
				return nil
			})
		}()
		synctest.Wait()
		for n := range 3 {
			if n == 1 {
				down.Store(true)
				time.Sleep(3 * time.Second)
				down.Store(false)
			}
			now := time.Now()
			w.compute.SetActivation(record(activationID(n), now.Add(-2*time.Second), workerLog(now.Add(-2*time.Second), jobID, fmt.Sprintf("%05d", n), "")))
			if text := <-got; text != fmt.Sprintf("hello from %05d", n) {
				t.Errorf("got %q after call %d", text, n)
			}
		}
		stop()
		if err := <-done; err != nil {
			t.Errorf("after an interruption: %v; want success", err)
		}
		if len(got) > 0 {
			t.Errorf("got %q once more", <-got)
		}
	})
}

func FuzzWorkerLog(f *testing.F) {
	f.Add("[INFO] x Execution ID: a1b2c3-0-M000/00001\n\x1b]0;x\x07")
	f.Fuzz(func(t *testing.T, log string) {
		var lines []lithops.Line
		for line := range strings.SplitSeq(log, "\n") {
			lines = append(lines, lithops.ParseLine(line))
		}
		for _, c := range lithops.ReadLog(lines, "", "") {
			if !lithops.IsJob(c.Job) || !lithops.IsCall(c.Call) || strings.ContainsAny(c.Error+c.Function, "\x1b\x07") {
				t.Errorf("%q results in %+v", log, c)
			}
		}
		lithops.ParseCallStatus([]byte(log))
	})
}
