package openwhisk

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/transport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const ns = "my space@x.org"

// serve returns a client of a test server with the handler h. Retries end after a millisecond.
func serve(t *testing.T, h http.HandlerFunc) *Client {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, ok := r.BasicAuth(); !ok || user != "uuid" || password != "key" || len(r.Header["Authorization"]) != 1 {
			t.Errorf("credentials %q", r.Header["Authorization"])
		}
		w.Header().Set("Content-Type", "application/json")
		h(w, r)
	}))
	t.Cleanup(srv.Close)
	base := &http.Transport{}
	t.Cleanup(base.CloseIdleConnections)
	return New(Options{
		Endpoint:  srv.URL + "/",
		Namespace: Namespace{Scope: entity.Scope{ID: ns, Name: ns}, Fixed: true},
		Transport: transport.New(transport.Options{Base: base, Origin: srv.URL, Deadline: time.Millisecond, MaxBody: 4 << 20,
			Auth: transport.Auth{Basic: "uuid:key"}}),
	})
}

func TestRequestPathsAndBodies(t *testing.T) {
	type sent struct{ Request, Body string }
	var got []sent
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = append(got, sent{r.Method + " " + r.RequestURI, strings.TrimSpace(string(body))})
		switch {
		case strings.HasSuffix(r.URL.Path, "/packages") || strings.HasSuffix(r.URL.Path, "/"):
			_, _ = io.WriteString(w, `[]`)
		case strings.Contains(r.URL.Path, "activations"):
			_, _ = io.WriteString(w, `{"response":{"success":true}}`)
		case r.Method == "POST" && strings.HasSuffix(r.URL.Path, "namespaces"):
			w.WriteHeader(201)
			_, _ = io.WriteString(w, `{"id":"guid"}`)
		case r.Method == "GET" && strings.HasSuffix(r.URL.Path, "namespaces"):
			_, _ = io.WriteString(w, `["one"]`)
		case r.Method == "POST":
			w.WriteHeader(202)
			_, _ = io.WriteString(w, `{"activationId":"abc"}`)
		default:
			_, _ = io.WriteString(w, `{}`)
		}
	})
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
	}
	for _, err := range c.Packages(ctx) {
		must(err)
	}
	_, err := c.CreatePackage(ctx, "lithops_ab&c d")
	must(err)
	must(c.deletePackage(ctx, "p"))
	for _, err := range c.Actions(ctx, "p q") {
		must(err)
	}
	_, err = c.Action(ctx, "p", "a b")
	must(err)
	_, err = c.PutAction(ctx, Action{Package: "p", Name: "a", Image: "user/img:1", MemoryMB: 256, TimeoutMS: 600000,
		Annotations: map[string]any{"z": 1, "b": "<x>"}}, "UEs=")
	must(err)
	_, err = c.PutAction(ctx, Action{Package: "p", Name: "a", MemoryMB: 512}, "", "gone")
	must(err)
	must(c.DeleteAction(ctx, "p", "a"))
	_, err = c.invoke(ctx, "p", "a", map[string]any{"get_metadata": true})
	must(err)
	_, err = c.activation(ctx, "abc")
	must(err)
	_, err = c.namespaces(ctx)
	must(err)
	_, err = c.createNamespace(ctx, "n", "rg")
	must(err)
	must(c.deleteNamespace(ctx, "a/b"))
	at := "/api/v1/namespaces/my%20space@x.org/"
	want := []sent{
		{"GET " + at + "packages?limit=200&skip=0", ""},
		{"PUT " + at + "packages/lithops_ab&c%20d?overwrite=false", `{"name":"lithops_ab&c d"}`},
		{"DELETE " + at + "packages/p", ""},
		{"GET " + at + "actions/p%20q/?limit=200&skip=0", ""},
		{"GET " + at + "actions/p/a%20b?code=false", ""},
		{"PUT " + at + "actions/p/a?overwrite=true", `{"name":"p/a","exec":{"kind":"blackbox","code":"UEs=","image":"user/img:1","binary":true},"annotations":[{"key":"b","value":"<x>"},{"key":"z","value":1}],"limits":{"timeout":600000,"memory":256}}`},
		{"PUT " + at + "actions/p/a?overwrite=true", `{"name":"p/a","delAnnotations":["gone"],"limits":{"memory":512}}`},
		{"DELETE " + at + "actions/p/a", ""},
		{"POST " + at + "actions/p/a?blocking=true&result=false", `{"get_metadata":true}`},
		{"GET " + at + "activations/abc", ""},
		{"GET /api/v1/namespaces", ""},
		{"POST /api/v1/namespaces", `{"description":"Namespace for Lithops, made by fn-runtime","name":"n","resource_group_id":"rg","resource_plan_id":"functions-base-plan"}`},
		{"DELETE /api/v1/namespaces/a%2Fb", ""},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestListReadsEveryPage(t *testing.T) {
	for _, total := range []int{0, 1, 199, 200, 201, 1000} {
		var requests atomic.Int32
		var second sync.WaitGroup // the pages of the second batch: neither gets a response before both are requested
		second.Add(2)
		c := serve(t, func(w http.ResponseWriter, r *http.Request) {
			requests.Add(1)
			limit, _ := strconv.Atoi(r.FormValue("limit"))
			skip, _ := strconv.Atoi(r.FormValue("skip"))
			if skip == pageSize || skip == 2*pageSize {
				second.Done()
				second.Wait()
			}
			rows := []map[string]any{}
			for i := skip; i < min(skip+limit, total); i++ {
				rows = append(rows, map[string]any{"name": fmt.Sprint("a", i), "updated": 1700000000000 + i,
					"limits": map[string]int{"memory": 256, "timeout": 60000}, "annotations": []any{map[string]any{"key": "k", "value": i}}})
			}
			_ = json.NewEncoder(w).Encode(rows)
		})
		var got []Action
		for a, err := range c.Actions(t.Context(), "p") {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, a)
		}
		if n, minimum := int(requests.Load()), total/pageSize+1; len(got) != total || n < minimum || n > minimum+maxParallelPages-1 || total < pageSize && n > 1 {
			t.Errorf("%d of %d in %d requests", len(got), total, n)
		}
		if total > 0 {
			want := Action{Package: "p", Name: "a0", MemoryMB: 256, TimeoutMS: 60000, Annotations: map[string]any{"k": 0.0},
				UpdatedAt: time.UnixMilli(1700000000000).UTC()}
			if d := cmp.Diff(want, got[0]); d != "" {
				t.Error(d)
			}
		}
	}
}

func TestRepeatedPageEndsTheList(t *testing.T) {
	row := strings.Repeat(`{"name":"same"},`, pageSize)
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "["+row[:len(row)-1]+"]") })
	n := 0
	var last error
	for _, err := range c.Packages(t.Context()) {
		if last = err; err == nil {
			n++
		}
	}
	if n != 1 || fault.KindOf(last) != fault.Failed {
		t.Errorf("%d packages, then %v", n, last)
	}
}

func TestNamespacesInIBMForm(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		at, _ := strconv.Atoi(r.FormValue("offset"))
		fmt.Fprintf(w, `{"total_count":3,"limit":2,"namespaces":[%s]}`,
			map[int]string{0: `{"id":"g1","name":"n1"},{"id":"g2","name":"n2"}`, 2: `{"id":"g3","name":"n3"}`}[at])
	})
	got, err := c.namespaces(t.Context())
	want := []entity.Scope{{ID: "g1", Name: "n1"}, {ID: "g2", Name: "n2"}, {ID: "g3", Name: "n3"}}
	if d := cmp.Diff(want, got); err != nil || d != "" {
		t.Errorf("%v\n%s", err, d)
	}
}

func TestInvoke(t *testing.T) {
	failed := `{"activationId":"a1","start":1700000000000,"duration":12,"logs":[],"response":{"status":"action developer error","success":false,"result":{"error":"boom"}},"annotations":[{"key":"initTime","value":30},{"key":"waitTime","value":4},{"key":"limits","value":{"x":1}}]}`
	start := time.UnixMilli(1700000000000).UTC()
	cases := []struct {
		name   string
		status int
		body   string
		want   entity.Activation
		kind   fault.Kind
	}{
		{"done", 200, `{"activationId":"a1","duration":5,"response":{"status":"success","success":true,"result":{"x":1}}}`,
			entity.Activation{ID: "a1", Done: true, Success: true, Status: "success", Result: []byte(`{"x":1}`), DurationMS: 5}, ""},
		{"still running", 202, `{"activationId":"a1"}`, entity.Activation{ID: "a1"}, ""},
		{"failed", 502, failed, entity.Activation{ID: "a1", Done: true, Status: "action developer error", StatusCode: 2,
			Result: []byte(`{"error":"boom"}`), Logs: []string{"out line", "err line"}, Start: start, DurationMS: 12, InitMS: 30, WaitMS: 4}, ""},
		{"gateway", 502, `{"error":"upstream","code":"t1"}`, entity.Activation{}, fault.Unavailable},
		{"null", 502, `null`, entity.Activation{}, fault.Unavailable},
		{"no body", 200, ``, entity.Activation{}, fault.Unavailable},
		{"half", 200, `{"activationId":`, entity.Activation{}, fault.Unavailable},
		{"not an activation", 200, `{"x":1}`, entity.Activation{}, fault.Unavailable},
		{"bad id", 202, `{"activationId":"../../x"}`, entity.Activation{}, fault.Unavailable},
		{"missing", 404, `{"error":"The requested resource does not exist.","code":"t1"}`, entity.Activation{}, fault.NotFound},
		{"throttled", 429, `{"error":"Too many requests.","code":"t1"}`, entity.Activation{}, fault.Throttled},
		{"too large", 413, `{"error":"Request larger than allowed."}`, entity.Activation{}, fault.TooLarge},
	}
	for _, x := range cases {
		t.Run(x.name, func(t *testing.T) {
			posts := 0
			c := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if r.Method == "GET" {
					_, _ = io.WriteString(w, `{"activationId":"a1","logs":["out line","err\u001b[2J\tline"],"response":{"success":false}}`)
					return
				}
				posts++
				w.WriteHeader(x.status)
				_, _ = io.WriteString(w, x.body)
			})
			if x.name == "failed" {
				x.want.Logs[1] = `err\x1b[2J line`
			}
			got, err := c.invoke(t.Context(), "p", "a", nil)
			if fault.KindOf(err) != x.kind {
				t.Fatalf("%v (%s)", err, fault.KindOf(err))
			}
			if d := cmp.Diff(x.want, got); d != "" {
				t.Error(d)
			}
			if posts != 1 {
				t.Errorf("invoked %d times", posts)
			}
		})
	}
}

func TestErrorResponses(t *testing.T) {
	cases := []struct {
		status  int
		body    string
		kind    fault.Kind
		want    string
		details []string
	}{
		{400, `{"error":"memory 5000 MB exceeds\u001b[31m allowed threshold","code":"ab12"}`, fault.Invalid, `memory 5000 MB exceeds\x1b[31m allowed threshold.`, []string{"transaction ab12"}},
		{401, `{"error":"The supplied authentication is invalid","code":4711}`, fault.Denied, "authentication is invalid.", []string{"transaction 4711"}},
		{403, `{"message":"not yours","trace":"x"}`, fault.Denied, "not yours.", nil},
		{404, `{"error":"The requested resource does not exist.","code":"<script>"}`, fault.NotFound, "did not find action p/a", nil},
		{404, `404 page not found`, fault.Unavailable, "No OpenWhisk API", nil},
		{409, `{"error":"Resource by this name exists but is not in this collection."}`, fault.Conflict, "returned status 409", nil},
		{413, ``, fault.TooLarge, "Request Entity Too Large.", nil},
		{429, `{"error":"Too many"}`, fault.Throttled, "Too many.", nil},
		{500, `{"error":{"message":"inner"}}`, fault.Unavailable, "inner.", nil},
		{502, `null`, fault.Unavailable, "Bad Gateway.", nil},
		{504, `[]`, fault.Timeout, "Gateway Timeout.", nil},
		{599, ``, fault.Unavailable, "599.", nil},
	}
	for _, x := range cases {
		c := serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(x.status)
			_, _ = io.WriteString(w, x.body)
		})
		_, err := c.PutAction(t.Context(), Action{Package: "p", Name: "a"}, "eA==")
		var f *fault.Fault
		if !errors.As(err, &f) || f.Kind != x.kind || !strings.Contains(err.Error(), x.want) || f.Recovery.IsZero() {
			t.Errorf("%d %s: %v (%s)", x.status, x.body, err, fault.KindOf(err))
			continue
		}
		if d := cmp.Diff(x.details, f.Details); d != "" {
			t.Errorf("%d: %s", x.status, d)
		}
	}
}

func TestListErrorNamesTheNamespace(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"error":"The supplied authentication is invalid"}`)
	})
	for _, err := range c.Packages(t.Context()) {
		if want := "returned status 401 for namespace " + ns + ": "; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestCreateExistingPackage(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(409)
		_, _ = io.WriteString(w, `{"error":"resource already exists","code":"t"}`)
	})
	if created, err := c.CreatePackage(t.Context(), "p"); created || err != nil {
		t.Errorf("%v, %v", created, err)
	}
}

// A PUT request is retried after a conflict with a concurrent write.
func TestConcurrentChangeIsRetried(t *testing.T) {
	n := 0
	base := http.DefaultTransport.(*http.Transport).Clone()
	defer base.CloseIdleConnections()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if n++; n == 1 {
			w.WriteHeader(409)
			_, _ = io.WriteString(w, `{"error":"Concurrent modification to resource detected.","code":"t"}`)
			return
		}
		_, _ = io.WriteString(w, `{}`)
	}))
	defer srv.Close()
	c := New(Options{Endpoint: srv.URL, Transport: transport.New(transport.Options{Base: base})})
	if _, err := c.PutAction(t.Context(), Action{Package: "p", Name: "a"}, ""); err != nil || n != 2 {
		t.Errorf("%v after %d", err, n)
	}
}

func TestInvalidNamesAreRejected(t *testing.T) {
	c := serve(t, func(_ http.ResponseWriter, r *http.Request) { t.Errorf("sent %s", r.RequestURI) })
	for _, bad := range []string{"", "..", ".", "a/b", "a?x", "a%2fb", "a\n", "é", strings.Repeat("x", 257), "a ", "../../x"} {
		if _, err := c.Action(t.Context(), "p", bad); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q: %v", bad, err)
		}
		if err := c.deletePackage(t.Context(), bad); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q: %v", bad, err)
		}
		if _, err := c.activation(t.Context(), bad); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for _, bad := range []string{"", "ftp://x", "host", "https://user:pw@host", "://"} {
		if _, err := New(Options{Endpoint: bad}).namespaces(t.Context()); fault.KindOf(err) != fault.Invalid || strings.Contains(err.Error(), "pw") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
