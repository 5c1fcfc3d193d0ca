package rest

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fn-runtime/runtime/entity"
)

// Whoever looks at a job sees which of its calls wait or run, and how many there are: the record of an activation comes
// at its end. Who does not ask is answered as OpenWhisk answers.
func TestActivationsThatGoOnAreListedForWhoAsks(t *testing.T) {
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
		t.Errorf("without a question for them the list is %+v; want the one that has ended", rows)
	}
	rows := list("?pending=true")
	if len(rows) != 2 || rows[0].Name != "hang" || rows[0].StatusCode != nil {
		t.Fatalf("got %+v; want the one that goes on first, without a status", rows)
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
		t.Errorf("the second page is %+v; want the one that has ended", rows)
	}
	if rows := list("?pending=true&limit=1"); len(rows) != 1 || rows[0].Name != "hang" {
		t.Errorf("the first page is %+v; want the one that goes on", rows)
	}
}
