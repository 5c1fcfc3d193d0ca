package rest

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fn-runtime/runtime/entity"
)

// With pending=true, the list also contains waiting and running activations, so that the calls of a job are visible
// before they end. Without it, the response is the one of OpenWhisk.
func TestListPendingActivations(t *testing.T) {
	f := serve(t)
	f.do("basic", "PUT", "/namespaces/_/actions/hang", `{"exec":{"kind":"blackbox","image":"i","code":"x"}}`)
	f.do("basic", "PUT", "/namespaces/_/actions/done", `{"exec":{"kind":"blackbox","image":"i","code":"x"}}`)
	const call = `{"job_key":"a1b2c3-0-M000","func_name":"double","call_ids":["00003"],"total_calls":9,"config":{"secret":"s"}}`
	if status, body, _ := f.do("basic", "POST", "/namespaces/_/actions/hang", call); status != http.StatusAccepted {
		t.Fatal(status, body)
	}
	f.do("basic", "POST", "/namespaces/_/actions/done?blocking=true", `{}`)

	type listed struct {
		Name        string
		StatusCode  *int
		Annotations []struct {
			Key   string
			Value any
		}
	}
	list := func(query string) (rows []listed) {
		_, body, _ := f.do("basic", "GET", "/namespaces/_/activations"+query, "")
		if err := json.Unmarshal([]byte(body), &rows); err != nil {
			t.Fatal(err, body)
		}
		return rows
	}
	if rows := list(""); len(rows) != 1 || rows[0].Name != "done" {
		t.Errorf("without pending=true the list is %+v, want only the ended activation", rows)
	}
	rows := list("?pending=true")
	if len(rows) != 2 || rows[0].Name != "hang" || rows[0].StatusCode != nil {
		t.Fatalf("got %+v, want the running activation first, without a status", rows)
	}
	notes := map[string]any{}
	for _, a := range rows[0].Annotations {
		notes[a.Key] = a.Value
	}
	want := map[string]any{"job": "a1b2c3-0-M000", "function": "double", "calls": []any{"00003"}, "total": 9.0}
	if diff := cmp.Diff(want, notes[entity.NoteWork]); diff != "" || notes[entity.NotePending] != true {
		t.Errorf("annotations %v: %s", notes, diff)
	}
	if rows := list("?pending=true&skip=1&limit=1"); len(rows) != 1 || rows[0].Name != "done" {
		t.Errorf("the second page is %+v, want the ended activation", rows)
	}
	if rows := list("?pending=true&limit=1"); len(rows) != 1 || rows[0].Name != "hang" {
		t.Errorf("the first page is %+v, want the running activation", rows)
	}
}
