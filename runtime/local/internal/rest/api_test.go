package rest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/local/internal/state"
	"fn-runtime/runtime/local/invoke"
)

// fakeInvoker returns an outcome that depends on the name of the action.
type fakeInvoker struct {
	mu   sync.Mutex
	seen []invoke.Invocation
}

func (f *fakeInvoker) Close(context.Context) error { return nil }

func (f *fakeInvoker) Run(ctx context.Context, inv invoke.Invocation) (invoke.Outcome, error) {
	f.mu.Lock()
	f.seen = append(f.seen, inv)
	f.mu.Unlock()
	switch inv.Action {
	case "apperror":
		return invoke.Outcome{Status: invoke.ApplicationError, Result: json.RawMessage(`{"error":"bad"}`)}, nil
	case "crash":
		return invoke.Outcome{Status: invoke.DeveloperError, Result: json.RawMessage(`{"error":"died"}`), Logs: []string{"2026-01-01T00:00:00Z stderr: boom"}}, nil
	case "internal":
		return invoke.Outcome{}, fmt.Errorf("no process")
	case "panic":
		panic("invoker")
	case "notjson":
		return invoke.Outcome{Status: invoke.Success, Result: json.RawMessage(`{`)}, nil
	case "huge":
		return invoke.Outcome{Status: invoke.Success, Result: json.RawMessage(`"` + strings.Repeat("x", maxResult) + `"`)}, nil
	case "hang":
		<-ctx.Done()
		return invoke.Outcome{}, ctx.Err()
	}
	return invoke.Outcome{Status: invoke.Success, Result: inv.Args, Cold: true, InitMS: 7, WaitMS: 3}, nil
}

const (
	testKey   = "23bc46b1-71f6-4ed5-8c54-816aa4f8c502:secretkey"
	testToken = "token-token"
	testGUID  = "11111111-2222-3333-4444-555555555555"
)

type fixture struct {
	*httptest.Server
	t       testing.TB
	invoker *fakeInvoker
	db      *state.DB
	api     *API
	temp    string // directory for buffered bodies and responses
}

func serve(t testing.TB) *fixture { return serveWithin(t, state.Limits{}) }

func serveWithin(t testing.TB, limits state.Limits) *fixture {
	t.Helper()
	dir := t.TempDir()
	db, err := state.Open(dir, state.Limits{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.CreateNamespace(state.Namespace{ID: testGUID, Name: DefaultNamespace}); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if db, err = state.Open(dir, limits, nil); err != nil {
		t.Fatal(err)
	}
	f := &fixture{t: t, invoker: &fakeInvoker{}, db: db, temp: t.TempDir()}
	api := New(Config{
		DB: db, Invoker: f.invoker, APIKey: testKey, Token: testToken, NamespaceID: testGUID,
		APIHost: "https://127.0.0.1:1", Python: "python3", Temp: f.temp, Wait: 200 * time.Millisecond, QueueBytes: queueBytes,
	})
	f.api = api
	f.Server = httptest.NewServer(api)
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		api.Close(ctx)
		f.Server.Close()
		_ = db.Close()
	})
	return f
}

// do sends a request. auth is "basic", "bearer", "" or an Authorization header.
func (f *fixture) do(auth, method, path, body string) (int, string, http.Header) {
	f.t.Helper()
	req, err := http.NewRequest(method, f.URL+"/api/v1"+path, strings.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	switch auth {
	case "basic":
		user, password, _ := strings.Cut(testKey, ":")
		req.SetBasicAuth(user, password)
	case "bearer":
		req.Header.Set("Authorization", "Bearer "+testToken)
	case "":
	default:
		req.Header.Set("Authorization", auth)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		f.t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	return resp.StatusCode, string(data), resp.Header
}

const blackbox = `{"exec":{"kind":"blackbox","image":"img","binary":true,"code":"UEsDBA=="},"limits":{"memory":256,"timeout":60000}}`

// deployActions creates the package p with these actions.
func (f *fixture) deployActions(actions ...string) {
	f.t.Helper()
	f.do("basic", "PUT", "/namespaces/_/packages/p", `{}`)
	for _, a := range actions {
		if status, body, _ := f.do("basic", "PUT", "/namespaces/_/actions/p/"+a, blackbox); status != 200 {
			f.t.Fatal(status, body)
		}
	}
}

func TestStatusCodesAndMessages(t *testing.T) {
	f := serve(t)
	f.deployActions("a", "apperror", "crash", "internal", "panic", "notjson", "huge", "hang")
	long := strings.Repeat("n", 257)
	for _, c := range []struct {
		auth, method, path, body string
		status                   int
		text                     string
	}{
		{"", "GET", "/namespaces", "", 401, "The resource requires authentication, which was not supplied with the request"},
		{"Bearer wrong", "GET", "/namespaces", "", 401, "requires authentication"},
		{"Basic d3Jvbmc6a2V5", "GET", "/namespaces", "", 401, "invalid"},
		{"Basic !", "GET", "/namespaces", "", 401, "invalid"},
		{"basic", "GET", "/namespaces", "", 200, `["guest"]`},
		{"bearer", "GET", "/namespaces", `{"resource_group_id":"x"}`, 200, `{"id":"` + testGUID + `","name":"guest"`},
		{"bearer", "GET", "/namespaces/" + testGUID + "/packages", "", 200, `"name":"p"`},
		{"basic", "GET", "/namespaces/guest/packages", "", 200, `"name":"p"`},
		{"basic", "GET", "/namespaces/other/packages/x", "", 403, "not authorized to access 'other/x'"},
		{"bearer", "GET", "/namespaces/other/packages", "", 404, "does not exist"},
		{"basic", "POST", "/namespaces", `{"name":"x"}`, 404, "could not be found"},
		{"basic", "PATCH", "/namespaces/_/packages/p", "", 404, "could not be found"},
		{"basic", "GET", "/namespaces/_/triggers", "", 200, "[]"},
		{"basic", "PUT", "/namespaces/_/triggers/t", "{}", 400, "The local endpoint does not implement triggers."},
		{"basic", "PUT", "/namespaces/_/rules/r", "{}", 400, "The local endpoint does not implement rules."},
		{"", "GET", "/web/guest/p/a", "", 400, "The local endpoint does not implement web actions"},
		{"", "GET", "", "", 200, `"build"`},
		{"basic", "PUT", "/namespaces/_/actions/p/new", `{"exec":{"kind":"sequence","components":["/_/p/a"]}}`, 400, "does not implement sequences"},
		{"basic", "PUT", "/namespaces/_/actions/p/web", `{"exec":{"kind":"python:3","code":"x"},"annotations":[{"key":"web-export","value":true}]}`, 400, "does not implement web actions"},
		{"basic", "PUT", "/namespaces/_/actions/p/a?overwrite=true", `{"annotations":[{"key":"web-export","value":true}]}`, 400, "does not implement web actions"},
		{"basic", "PUT", "/namespaces/_/actions/p/inside", `{"exec":{"kind":"python:default","code":"x"},"annotations":[{"key":"web-export","value":false}]}`, 200, `"kind":"python:3"`},
		{"basic", "PUT", "/namespaces/_/actions/p/two", `{"exec":{"kind":"python:2.7","code":"x"}}`, 400, "not supported by this platform"},
		{"basic", "POST", "/namespaces/_/packages/refresh", "", 400, "does not implement package bindings"},
		{"basic", "POST", "/namespaces/_/packages/p", "{}", 404, "could not be found"},
		{"basic", "PUT", "/namespaces/_/packages/p", "{}", 409, "resource already exists"},
		{"basic", "PUT", "/namespaces/_/packages/p?overwrite=True", "{}", 200, `"version":"0.0.2"`},
		{"basic", "PUT", "/namespaces/_/packages/p?overwrite=maybe", "{}", 400, "Boolean"},
		{"basic", "DELETE", "/namespaces/_/packages/p", "", 409, "Package not empty (contains 9 entities)"},
		{"basic", "DELETE", "/namespaces/_/packages/none", "", 404, "does not exist"},
		{"basic", "PUT", "/namespaces/_/packages/" + long, "{}", 400, "longer than allowed"},
		{"basic", "PUT", "/namespaces/_/packages/a%2Fb", "{}", 400, "illegal characters"},
		{"basic", "PUT", "/namespaces/_/packages/.x", "{}", 400, "illegal characters"},
		{"basic", "PUT", "/namespaces/_/actions/none/a", blackbox, 404, "does not exist"},
		{"basic", "PUT", "/namespaces/_/actions/p/a", blackbox, 409, "already exists"},
		{"basic", "PUT", "/namespaces/_/actions/p/a?overwrite=True", `{"limits":{"memory":512}}`, 200, `"memory":512,"timeout":60000`},
		{"basic", "GET", "/namespaces/_/actions/p/a", "", 200, `"code":"UEsDBA=="`},
		{"basic", "PUT", "/namespaces/_/actions/p/new", `{}`, 400, "exec undefined"},
		{"basic", "PUT", "/namespaces/_/actions/p/new", `{"exec":{"kind":"blackbox"}}`, 400, "image"},
		{"basic", "PUT", "/namespaces/_/actions/p/new", `{"exec":{"kind":"cobol","code":"x"}}`, 400, "The specified runtime 'cobol' is not supported"},
		{"basic", "PUT", "/namespaces/_/actions/p/new", `{"exec":`, 400, "malformed"},
		{"basic", "PUT", "/namespaces/_/actions/p/new", `{"limits":{"memory":64}}`, 400, "memory size 64 MB below allowed threshold of 128 MB"},
		{"basic", "PUT", "/namespaces/_/actions/p/new", `{"limits":{"memory":4096}}`, 400, "exceeds allowed threshold of 2048 MB"},
		{"basic", "PUT", "/namespaces/_/actions/p/new", `{"limits":{"timeout":600001}}`, 400, "exceeds allowed threshold of 600000 milliseconds"},
		{"basic", "PUT", "/namespaces/_/actions/p/new", `{"limits":{"timeout":99}}`, 400, "below allowed threshold of 100 milliseconds"},
		{"basic", "PUT", "/namespaces/_/actions/p/new", `{"annotations":{"a":1}}`, 400, "annotations malformed"},
		{"basic", "GET", "/namespaces/_/actions?limit=201", "", 400, "not in the range of 0 to 200"},
		{"basic", "GET", "/namespaces/_/actions?limit=x", "", 400, "not an integer"},
		{"basic", "GET", "/namespaces/_/actions?skip=-1", "", 400, "skip"},
		{"basic", "GET", "/namespaces/_/actions/none/", "", 404, "does not exist"},
		{"basic", "GET", "/namespaces/_/actions?count=true", "", 200, `{"actions":9}`},
		{"basic", "DELETE", "/namespaces/_/actions/p/none", "", 404, "does not exist"},
		{"basic", "POST", "/namespaces/_/actions/p/none", "", 404, "does not exist"},
		{"basic", "POST", "/namespaces/_/actions/p/a", `[1]`, 400, "malformed"},
		{"basic", "POST", "/namespaces/_/actions/p/a", `{"x":"` + strings.Repeat("x", maxParameters) + `"}`, 413, "larger than allowed"},
		{"basic", "POST", "/namespaces/_/actions/p/a?blocking=true&timeout=0", ``, 400, "timeout"},
		{"basic", "POST", "/namespaces/_/actions/p/a", ``, 202, `{"activationId":"`},
		{"basic", "POST", "/namespaces/_/actions/p/a?blocking=true&result=true", `{"x":1}`, 200, `{"x":1}`},
		{"basic", "POST", "/namespaces/_/actions/p/a?blocking=true", `{"x":1}`, 200, `"initTime","value":7`},
		{"basic", "POST", "/namespaces/_/actions/p/apperror?blocking=true&result=true", ``, 502, `{"error":"bad"}`},
		{"basic", "POST", "/namespaces/_/actions/p/crash?blocking=true", ``, 502, `"logs":[]`},
		{"basic", "GET", "/namespaces/_/activations?docs=true&name=p/crash", "", 200, `stderr: boom`},
		{"basic", "POST", "/namespaces/_/actions/p/internal?blocking=true", ``, 500, `"whisk internal error"`},
		{"basic", "POST", "/namespaces/_/actions/p/panic?blocking=true", ``, 500, `"whisk internal error"`},
		{"basic", "POST", "/namespaces/_/actions/p/notjson?blocking=true", ``, 502, `valid JSON`},
		{"basic", "POST", "/namespaces/_/actions/p/huge?blocking=true", ``, 502, `exceeded the allowed length`},
		{"basic", "POST", "/namespaces/_/actions/p/hang?blocking=true&timeout=20", ``, 202, `{"activationId":"`},
		{"basic", "GET", "/namespaces/_/activations/zz", "", 400, "Activation id length is 2 but must be 32."},
		{"basic", "GET", "/namespaces/_/activations/" + strings.Repeat("0", 32), "", 404, "does not exist"},
		{"bearer", "POST", "/namespaces", `{"name":"new","resource_plan_id":"functions-base-plan"}`, 201, `"name":"new"`},
		{"bearer", "POST", "/namespaces", `{"name":"new"}`, 409, "already exists"},
		{"bearer", "DELETE", "/namespaces/new", "", 200, `"name":"new"`},
		{"bearer", "DELETE", "/namespaces/" + testGUID, "", 403, "guest"},
	} {
		status, body, header := f.do(c.auth, c.method, c.path, c.body)
		if status != c.status || !strings.Contains(body, c.text) {
			t.Errorf("%s %.80s: got %d %.300s, want %d %s", c.method, c.path, status, body, c.status, c.text)
		}
		if status >= 400 && status != 502 && !strings.Contains(c.path, "blocking") {
			var doc struct{ Error, Code string }
			if json.Unmarshal([]byte(body), &doc) != nil || doc.Error == "" || doc.Code != header.Get("X-Request-Id") {
				t.Errorf("%s %.80s: no error document: %.200s", c.method, c.path, body)
			}
		}
	}
}

func TestWrongContentType(t *testing.T) {
	f := serve(t)
	req, _ := http.NewRequest("PUT", f.URL+"/api/v1/namespaces/_/packages/p", strings.NewReader("a=b"))
	req.Header.Set("Authorization", "Bearer "+testToken)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusUnsupportedMediaType {
		t.Fatal(resp.Status)
	}
}

func TestCodeSizeLimit(t *testing.T) {
	code := strings.Repeat("A", maxCode/3*4+8)
	in := actionPut{Exec: &execDoc{Kind: "blackbox", Image: "i", Binary: true, Code: &code}}
	if err := in.check(); err == nil || !strings.Contains(err.Error(), "exec larger than allowed") {
		t.Error(err)
	}
	in.Exec.Code = new(code[:maxCode/3*4-4])
	if err := in.check(); err != nil {
		t.Error(err)
	}
}

func TestListActionsInPages(t *testing.T) {
	f := serve(t)
	f.deployActions()
	for i := range 65 {
		f.do("basic", "PUT", fmt.Sprintf("/namespaces/_/actions/p/a%03d", i), blackbox)
	}
	seen := map[string]bool{}
	for skip := 0; ; skip += 30 {
		_, body, _ := f.do("basic", "GET", fmt.Sprintf("/namespaces/_/actions/p/?skip=%d", skip), "")
		var page []struct {
			Name string
			Exec struct{ Image string }
		}
		if err := json.Unmarshal([]byte(body), &page); err != nil {
			t.Fatal(err, body)
		}
		for _, a := range page {
			seen[a.Name] = true
			if a.Exec.Image != "" {
				t.Fatal("lists must not show the image: the real API does not")
			}
		}
		if len(page) < 30 {
			break
		}
	}
	if len(seen) != 65 {
		t.Fatalf("%d actions", len(seen))
	}
	if _, body, _ := f.do("basic", "GET", "/namespaces/_/actions/p/?limit=0", ""); strings.Count(body, `"version"`) != 65 {
		t.Fatal("limit=0 must return the maximum page size")
	}
}

func TestInvocationDefaultsAndInterpreter(t *testing.T) {
	f := serve(t)
	f.do("basic", "PUT", "/namespaces/_/packages/p", `{"parameters":[{"key":"a","value":1},{"key":"b","value":1}]}`)
	body := strings.TrimSuffix(blackbox, "}") + `,"parameters":[{"key":"b","value":2},{"key":"c","value":2}],"annotations":[{"key":"` + entity.NoteInterpreter + `","value":"/opt/py"}]}`
	f.do("basic", "PUT", "/namespaces/_/actions/p/a", body)
	_, out, _ := f.do("basic", "POST", "/namespaces/_/actions/p/a?blocking=true&result=true", `{"c":3}`)
	if out != `{"a":1,"b":2,"c":3}` {
		t.Errorf("got %q, want %q", out, `{"a":1,"b":2,"c":3}`)
	}
	inv := f.invoker.seen[0]
	code, err := inv.Code()
	if inv.Python != "/opt/py" || inv.APIKey != "" || code != "UEsDBA==" || err != nil || !inv.Binary || inv.Namespace != "guest" {
		t.Errorf("got %+v with code %q, %v; want /opt/py, no key, binary code UEsDBA== and namespace guest", inv, code, err)
	}
	f.do("basic", "PUT", "/namespaces/_/actions/p/a?overwrite=true", `{"annotations":[{"key":"`+entity.NoteInterpreter+`","value":"relative/py"}]}`)
	f.do("basic", "POST", "/namespaces/_/actions/p/a?blocking=true", `{}`)
	if got := f.invoker.seen[1]; got.Python != "python3" || got.Revision == inv.Revision {
		t.Errorf("%s %s", got.Python, got.Revision)
	}
}

func TestRecoverRecordsAbandonedActivations(t *testing.T) {
	f := serve(t)
	id := strings.Repeat("a", 32)
	if err := f.db.Accept(state.Activation{ID: id, NamespaceID: testGUID, Namespace: "guest", Action: "a", Start: time.Now().UnixMilli()}); err != nil {
		t.Fatal(err)
	}
	if n, err := Recover(f.db, time.Now()); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if _, body, _ := f.do("basic", "GET", "/namespaces/_/activations/"+id, ""); !strings.Contains(body, "The endpoint ended while the activation was running.") {
		t.Fatal(body)
	}
}

func TestWritesOnFullDiskAreRejected(t *testing.T) {
	f := serveWithin(t, state.Limits{FreeBytes: 1 << 60}) // more than any disk has
	for _, c := range []struct{ method, path, body string }{
		{"PUT", "/namespaces/_/packages/p", `{}`},
		{"PUT", "/namespaces/_/actions/a", `{"exec":{"kind":"blackbox","image":"i","code":"x"}}`},
		{"POST", "/namespaces", `{"name":"n","resource_group_id":"g","resource_plan_id":"p"}`},
	} {
		if status, body, _ := f.do("bearer", c.method, c.path, c.body); status != http.StatusInsufficientStorage {
			t.Errorf("%s %s: %d %s", c.method, c.path, status, body)
		}
	}
}
