package openwhisk

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
)

const recordFormat = `{"activationId":"%032x","name":"img_256MB_3.8.0","start":1700000000000,"end":1700000002000,"duration":2000,%s"annotations":[
	{"key":"path","value":"guest/lithops_abcde/img_256MB_3.8.0"},{"key":"waitTime","value":30},{"key":"initTime","value":700},
	{"key":"kind","value":"blackbox"},{"key":"timeout","value":true},{"key":"limits","value":{"memory":256,"timeout":300000}}%s]}`

// Activations are listed over all pages, with the data of their annotations: the action, and the details that only
// the local endpoint provides.
func TestListActivations(t *testing.T) {
	queries := make(chan string, 10) // pages are requested in parallel
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		queries <- q.Get("since") + " " + q.Get("docs") + " " + q.Get("skip")
		var rows []string
		switch q.Get("skip") {
		case "0":
			rows = append(rows, fmt.Sprintf(recordFormat, 0, "", `,{"key":"fn-runtime-pending","value":true},{"key":"fn-runtime-work","value":{"job":"a1b2c3-0-M000","function":"f","calls":["00000"],"total":7}}`))
			for n := 1; n < pageSize; n++ {
				rows = append(rows, fmt.Sprintf(recordFormat, n, `"statusCode":0,`, ""))
			}
		case "200":
			rows = append(rows, fmt.Sprintf(recordFormat, pageSize, `"statusCode":2,`, ""),
				fmt.Sprintf(recordFormat, pageSize+1, `"response":{"status":"application error","success":false,"result":{"error":"x"}},"logs":["2026-01-01T00:00:00Z stdout:   a\u001b[31m"],`, ""))
		}
		_, _ = io.WriteString(w, "["+strings.Join(rows, ",")+"]")
	})
	c := NewCompute(client, ComputeOptions{})
	var got []entity.Activation
	for run, err := range c.ListActivations(t.Context(), time.UnixMilli(1699999999000), true) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, run)
	}
	if first := <-queries; len(got) != pageSize+2 || first != "1699999999000 true 0" {
		t.Fatalf("got %d activations, the first page with %q; want %d", len(got), first, pageSize+2)
	}
	base := entity.Activation{
		Start: time.UnixMilli(1700000000000).UTC(), DurationMS: 2000, InitMS: 700, WaitMS: 30, MemoryMB: 256, TimedOut: true,
		Runtime: entity.ID{Group: "lithops_abcde", Name: "img_256MB_3.8.0"},
	}
	for n, change := range map[int]func(*entity.Activation){
		0: func(a *entity.Activation) {
			a.Status = "success"
			a.Work = &entity.Work{Job: "a1b2c3-0-M000", Function: "f", Calls: []string{"00000"}, Total: 7}
		},
		1:        func(a *entity.Activation) { a.Done, a.Success, a.Status = true, true, "success" },
		pageSize: func(a *entity.Activation) { a.Done, a.Status, a.StatusCode = true, "action developer error", 2 },
		pageSize + 1: func(a *entity.Activation) {
			a.Done, a.Status, a.StatusCode, a.Result = true, "application error", 1, []byte(`{"error":"x"}`)
			a.Logs = []string{`2026-01-01T00:00:00Z stdout:   a\x1b[31m`}
		},
	} {
		want := base
		want.ID = fmt.Sprintf("%032x", n)
		change(&want)
		got[n].Start = got[n].Start.UTC()
		if diff := cmp.Diff(want, got[n]); diff != "" {
			t.Errorf("activation %d (-want +got):\n%s", n, diff)
		}
	}
}

// An error of the server is returned and not reported as an empty list.
func TestListActivationsReturnsErrors(t *testing.T) {
	client := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
	var last error
	for _, err := range NewCompute(client, ComputeOptions{}).ListActivations(t.Context(), time.Time{}, false) {
		last = err
	}
	if !fault.Is(last, fault.Denied) {
		t.Errorf("got %v; want the error of the server", last)
	}
}
