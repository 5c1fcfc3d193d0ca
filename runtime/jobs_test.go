package runtime_test

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fn-runtime/i18n"
	"fn-runtime/runtime"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
)

const jobID = "a1b2c3-0-M000"

var runtimeID = entity.ID{Group: pkg, Name: "docker.io_me_img_512MB_3.7.0"}

// workerLog returns the log of a Lithops worker for one call. raised is the last line of an exception; "" for none.
func workerLog(at time.Time, job, call, raised string) []string {
	n := 0
	logLine := func(stream, s string) string {
		n++
		return at.Add(time.Duration(n)*time.Millisecond).UTC().Format(time.RFC3339Nano) + " " + stream + ": " + s
	}
	lines := []string{
		logLine("stdout", "[INFO] utils.py:56 -- Getting function and modules"),
		logLine("stderr", "2026-11-28 09:56:00,836 [INFO] handler.py:250 -- Tasks received: 1 - Worker processes: 1"),
		logLine("stdout", "2026-11-28 09:56:00,837 [INFO] handler.py:486 -- Execution ID: "+job+"/"+call),
		logLine("stdout", "2026-11-28 09:56:00,879 [INFO] jobrunner.py:381 -- Going to execute 'double()'"),
		logLine("stdout", "---------------------- FUNCTION LOG ----------------------"),
		logLine("stdout", "hello from "+call),
	}
	if raised != "" {
		lines = append(lines, logLine("stdout", "----------------------- EXCEPTION !-----------------------"),
			logLine("stdout", "Traceback (most recent call last):"), logLine("stdout", `  File "f.py", line 4, in double`), logLine("stdout", raised))
	}
	return append(lines, logLine("stdout", "----------------------------------------------------------"),
		logLine("stdout", "2026-11-28 09:56:00,925 [INFO] handler.py:621 -- Finished"))
}

// record returns the record of an activation that ran for two seconds.
func record(id string, at time.Time, logs []string) entity.Activation {
	return entity.Activation{ID: id, Done: true, Success: true, Start: at, DurationMS: 2000, WaitMS: 500, Runtime: runtimeID, MemoryMB: 512, Logs: logs}
}

// statusObject returns the object that an ended call writes to the bucket.
func statusObject(t *testing.T, activation string, at time.Time, failed bool, log []string) []byte {
	t.Helper()
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	for _, line := range log {
		_, text, _ := strings.Cut(line, ": ")
		fmt.Fprintln(z, text)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(map[string]any{
		"type": "__end__", "exception": failed, "activation_id": activation, "worker_cold_start": true,
		"host_submit_tstamp": float64(at.Unix()), "worker_start_tstamp": float64(at.Unix()) + 1, "worker_end_tstamp": float64(at.Unix()) + 3,
		"logs": base64.StdEncoding.EncodeToString(packed.Bytes()),
	})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func activationID(n int) string { return fmt.Sprintf("%032x", n) }

// A map with five calls: one is done, one raised an exception, one ran out of memory, one is running, one is waiting.
func TestJobHasTheStatesOfItsCalls(t *testing.T) {
	w := newWorld(t)
	w.compute.Put(entity.Registered{ID: runtimeID, Reference: "docker.io/me/img", MemoryMB: 512, TimeoutMS: 300_000})
	at := time.Now().Add(-time.Minute).Truncate(time.Second)
	cold := record(activationID(0), at, workerLog(at, jobID, "00000", ""))
	cold.InitMS = 700
	w.compute.SetActivation(cold)
	w.compute.SetActivation(record(activationID(1), at, workerLog(at, jobID, "00001", "ValueError: not\x1b[31m allowed")))
	memory := record(activationID(2), at, workerLog(at, jobID, "00002", "")[:6])
	memory.Success, memory.StatusCode, memory.Result = false, 2, []byte(`{"error":"The action exhausted its memory and was aborted."}`)
	w.compute.SetActivation(memory)
	for n := 3; n < 5; n++ {
		w.compute.SetActivation(entity.Activation{ID: activationID(n), Start: at, Runtime: runtimeID, MemoryMB: 512,
			Work: &entity.Work{Job: jobID, Function: "double", Calls: []string{fmt.Sprintf("%05d", n)}, Total: 5}})
	}
	w.store.Set("lithops.jobs/"+jobID+"/00003/"+activationID(3)+".init", nil, at.Add(time.Second))
	w.compute.SetActivation(record(activationID(9), at, []string{"a metadata call logs nothing of a job"}))

	got, err := w.ShowJob(t.Context(), jobID, runtime.JobsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	want := entity.Counts{Total: 5, Waiting: 1, Running: 1, Done: 1, Failed: 2, Cold: 1}
	if diff := cmp.Diff(want, got.Calls); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	if got.Function != "double" || got.Runtime != "docker.io/me/img" || got.Executor != "a1b2c3-0" || got.MemoryMB != 512 || !got.First.Equal(at.Add(-500*time.Millisecond)) {
		t.Errorf("got %+v", got.Job)
	}
	if got.GBs < 3 || got.GBs > 60 {
		t.Errorf("got %.1f GB-s; want three calls of two seconds with 0.5 GB, and the one that runs", got.GBs)
	}
	var calls []string
	for _, c := range got.List {
		calls = append(calls, fmt.Sprint(c.ID, " ", c.State, " ", c.Error, c.Cause))
	}
	wantCalls := []string{"00000 done ", `00001 failed ValueError: not\x1b[31m allowed`,
		"00002 failed It needed more than 512 MB of memory.", "00003 running ", "00004 waiting "}
	if diff := cmp.Diff(wantCalls, calls); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	if c := got.List[0]; !c.Cold || c.Init != 700*time.Millisecond || c.Ended.Sub(c.Started) != 2*time.Second {
		t.Errorf("the first call is %+v", c)
	}
	if _, err := w.ShowJob(t.Context(), "ffffff-0-M000", runtime.JobsRequest{}); !fault.Is(err, fault.NotFound) {
		t.Errorf("a job of which nothing is to be observer: %v", err)
	}
}

// With log_level='ERROR' the worker logs no call IDs, so an exception in its log belongs to the call in the activation
// record. The client has already deleted the objects of the job.
func TestFailedCallOfWorkerThatLogsOnlyErrors(t *testing.T) {
	w := newWorld(t)
	at := time.Now().Add(-time.Minute).Truncate(time.Second)
	log := slices.DeleteFunc(workerLog(at, jobID, "00000", "ValueError: no"), func(line string) bool { return strings.Contains(line, "[INFO]") })
	run := record(activationID(0), at, log)
	run.Work = &entity.Work{Job: jobID, Function: "double", Calls: []string{"00000"}, Total: 1}
	w.compute.SetActivation(run)

	got, err := w.ShowJob(t.Context(), jobID, runtime.JobsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(entity.Counts{Total: 1, Failed: 1}, got.Calls); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	if c := got.List[0]; c.Error != "ValueError: no" {
		t.Errorf("the error is %q, want %q", c.Error, "ValueError: no")
	}
}

// If no record contains the result of a call, because the service keeps none or the worker logs too little, its status
// object contains it. Calls without objects are waiting while the job runs.
func TestJobIsReadFromTheBucket(t *testing.T) {
	w := newWorld(t)
	at := time.Now().Add(-time.Minute).Truncate(time.Second)
	object := func(call, name string, data []byte) { w.store.Set("lithops.jobs/"+jobID+"/"+call+"/"+name, data, at) }
	object("00000", activationID(0)+".init", nil)
	object("00000", "status.json", statusObject(t, activationID(0), at, false, workerLog(at, jobID, "00000", "")))
	object("00001", activationID(1)+".init", nil)
	object("00001", "status.json", statusObject(t, activationID(1), at, true, workerLog(at, jobID, "00001", "KeyError: 'x'")))
	object("00003", activationID(3)+".init", nil)
	object("00004", activationID(4)+".init", nil)
	object("00004", "status.json", []byte("no JSON"))
	w.compute.SetActivation(record(activationID(3), at, nil)) // the worker logs only from level WARNING
	for _, stranger := range []string{"lithops.jobs/x/y/status.json", "lithops.jobs/" + jobID + "/00005/\x1b.init", "lithops.jobs/a1b2c3-0/f.func.pickle"} {
		w.store.Set(stranger, nil, at)
	}
	got, err := w.ShowJob(t.Context(), jobID, runtime.JobsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	var calls []string
	for _, c := range got.List {
		calls = append(calls, fmt.Sprint(c.ID, " ", c.State, " ", c.Function, " ", c.Error, " ", c.Duration(c.Ended)))
	}
	want := []string{"00000 done double  2s", "00001 failed double KeyError: 'x' 2s", "00002 waiting double  0s", "00003 done double  2s", "00004 running double  0s"}
	if diff := cmp.Diff(want, calls); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

// Polling reads only new data: neither records nor status objects are read twice.
func TestEndedCallsAreNotReadAgain(t *testing.T) {
	w := newWorld(t)
	w.compute.Put(entity.Registered{ID: runtimeID, Reference: "docker.io/me/img", MemoryMB: 512})
	at := time.Now().Add(-time.Minute)
	for n := range 20 {
		call := fmt.Sprintf("%05d", n)
		w.store.Set("lithops.jobs/"+jobID+"/"+call+"/status.json", statusObject(t, activationID(n), at, false, nil), at)
		w.compute.SetActivation(record(activationID(n), at, workerLog(at, jobID, call, "")))
	}
	watch := w.WatchJobs(runtime.JobsRequest{})
	refresh := func() (changed bool, requests []string) {
		w.resetRequests()
		changed, err := watch.Refresh(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		requests = slices.Concat(w.compute.Requests(), w.store.Requests())
		slices.Sort(requests)
		return changed, requests
	}
	changed, requests := refresh()
	want := []string{"LIST calls withLogs=true", "LIST objects lithops.jobs/ page=0", "LIST runtimes skip=0"}
	if diff := cmp.Diff(want, requests); diff != "" || !changed {
		t.Errorf("the first look at 20 calls, changed %v (-want +got):\n%s", changed, diff)
	}
	version := watch.Version()
	if changed, requests = refresh(); changed || len(requests) != 2 || watch.Version() != version {
		t.Errorf("nothing is new: changed %v, requests %q; want the two lists", changed, requests)
	}
	w.compute.SetActivation(record(activationID(20), time.Now(), workerLog(at, jobID, "00020", "")))
	if changed, requests = refresh(); !changed || !slices.Contains(requests, "GET call "+activationID(20)) || len(requests) != 3 {
		t.Errorf("a call has ended: changed %v, requests %q; want the two lists and its record", changed, requests)
	}
	if jobs := watch.Jobs(time.Now()); len(jobs) != 1 || jobs[0].Calls.Done != 21 {
		t.Errorf("got %+v; want one job with 21 calls done", jobs)
	}
}

// Ten thousand calls are read quickly, once and repeatedly.
func TestTenThousandCallsAreReadQuickly(t *testing.T) {
	w := newWorld(t)
	at := time.Now().Add(-time.Minute)
	for n := range 10_000 {
		w.compute.SetActivation(record(activationID(n), at, workerLog(at, jobID, fmt.Sprintf("%05d", n), "")))
		w.store.Set(fmt.Sprintf("lithops.jobs/%s/%05d/%s.init", jobID, n, activationID(n)), nil, at)
	}
	watch := w.WatchJobs(runtime.JobsRequest{})
	for range 2 {
		begun := time.Now()
		if _, err := watch.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		jobs := watch.Jobs(time.Now())
		if took := time.Since(begun); len(jobs) != 1 || jobs[0].Calls.Done != 10_000 || took > time.Minute {
			t.Errorf("got %+v after %v", jobs, took)
		}
		t.Logf("%v", time.Since(begun))
	}
}

// Logs that are too large for a listing are read one by one.
func TestLargeLogsAreReadOneByOne(t *testing.T) {
	w := newWorld(t)
	at := time.Now().Add(-time.Minute)
	for n := range 3 {
		w.compute.SetActivation(record(activationID(n), at, workerLog(at, jobID, fmt.Sprintf("%05d", n), "")))
	}
	w.compute.Hook = func(request string, _ bool) error {
		if request == "LIST calls withLogs=true" {
			return fault.New(fault.TooLarge, i18n.M("The answer is too large."), i18n.Message{})
		}
		return nil
	}
	jobs, err := w.ListJobs(t.Context(), runtime.JobsRequest{})
	if err != nil || len(jobs) != 1 || jobs[0].Calls.Done != 3 {
		t.Errorf("got %+v, %v; want a job with three calls done", jobs, err)
	}
}

// A call that the client retried counts once, with the result of the last attempt.
func TestRetriedCallCountsOnce(t *testing.T) {
	for name, order := range map[string][]int{"the first record first": {0, 1}, "the second record first": {1, 0}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			at := time.Now().Add(-time.Minute)
			tries := []entity.Activation{
				record(activationID(0), at, workerLog(at, jobID, "00000", "OSError: connection lost")),
				record(activationID(1), at.Add(10*time.Second), workerLog(at.Add(10*time.Second), jobID, "00000", "")),
			}
			watch := w.WatchJobs(runtime.JobsRequest{})
			for _, n := range order {
				w.compute.SetActivation(tries[n])
				if _, err := watch.Refresh(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			_, calls, _ := watch.Job(jobID, time.Now())
			if len(calls) != 1 || calls[0].State != entity.CallDone || calls[0].Error != "" {
				t.Errorf("got %+v; want one call that is done", calls)
			}
		})
	}
}
