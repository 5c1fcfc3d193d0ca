package runtime_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"fn-runtime/runtime"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/lithops"
)

// A service that runs a job as a whole and keeps no logs reports that the job failed. All calls without objects in the
// bucket failed with it, and the reason is a line of the log.
func TestJobThatRunsAsAWholeFailsAsAWhole(t *testing.T) {
	w := newWorld(t)
	at := time.Now().Add(-time.Minute).Truncate(time.Second)
	run := entity.Activation{ID: "lithops-a1b2c3-0-m000", Done: true, Start: at, DurationMS: 9000, MemoryMB: 512, Runtime: runtimeID,
		Result: []byte(`{"error":"OOMKilled"}`), Work: &entity.Work{Job: lithops.JobOfRun("lithops-a1b2c3-0-m000"), Total: 3}}
	w.compute.SetActivation(run)
	w.store.Set("lithops.jobs/"+jobID+"/00000/status.json", statusObject(t, "0123456789ab", at, false, workerLog(at, jobID, "00000", "")), at)
	w.store.Set("lithops.jobs/"+jobID+"/00001/123456789abc.init", nil, at)
	got, err := w.ShowJob(t.Context(), jobID, runtime.JobsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	var calls []string
	for _, c := range got.List {
		calls = append(calls, fmt.Sprint(c.ID, " ", c.State, " ", c.Cause, " ", c.MemoryMB))
	}
	const why = "It needed more than 512 MB of memory."
	want := []string{"00000 done  512", "00001 failed " + why + " 512", "00002 failed " + why + " 512"}
	if diff := cmp.Diff(want, calls); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	var notes []string
	if err := w.Logs(t.Context(), runtime.LogsRequest{Job: jobID, Failed: true}, func(l entity.LogLine) error {
		notes = append(notes, l.Job+" "+l.Note.String())
		return nil
	}); err != nil || !slices.Equal(notes, []string{jobID + " " + why}) {
		t.Errorf("the log is %q, %v; want why it failed", notes, err)
	}
}

// Waiting for a job ends when all its calls have ended.
func TestWaitForJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		pending := entity.Activation{ID: activationID(1), Start: time.Now(), Runtime: runtimeID, MemoryMB: 512,
			Work: &entity.Work{Job: jobID, Calls: []string{"00001"}, Total: 2}}
		w.compute.SetActivation(record(activationID(0), time.Now(), workerLog(time.Now(), jobID, "00000", "")))
		w.compute.SetActivation(pending)
		begun := time.Now()
		go func() {
			time.Sleep(30 * time.Second)
			w.compute.SetActivation(record(activationID(1), time.Now(), workerLog(time.Now(), jobID, "00001", "")))
		}()
		got, err := w.ShowJob(t.Context(), jobID, runtime.JobsRequest{Follow: true})
		if err != nil || got.Calls.Done != 2 {
			t.Errorf("got %+v, %v; want two calls done", got.Calls, err)
		}
		if waited := time.Since(begun); waited < 30*time.Second || waited > 40*time.Second {
			t.Errorf("it took %v; want little more than the 30 s of the last call", waited)
		}
	})
}

// A job is not done if, between two calls, no call is running.
func TestJobIsNotDoneBetweenTwoCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.compute.SetActivation(record(activationID(0), time.Now(), workerLog(time.Now(), jobID, "00000", "")))
		go func() {
			time.Sleep(500 * time.Millisecond)
			w.store.Set("lithops.jobs/"+jobID+"/00001/"+activationID(1)+".init", nil, time.Now())
			time.Sleep(20 * time.Second)
			w.compute.SetActivation(record(activationID(1), time.Now(), workerLog(time.Now(), jobID, "00001", "")))
		}()
		if got, err := w.ShowJob(t.Context(), jobID, runtime.JobsRequest{Follow: true}); err != nil || got.Calls.Done != 2 {
			t.Errorf("got %+v, %v; want two calls done", got.Calls, err)
		}
	})
}
