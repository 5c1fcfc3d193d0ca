package rest

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"fn-runtime/runtime/local/internal/state"
	"fn-runtime/runtime/local/invoke"
)

// recorded is one request with what Apache OpenWhisk answered.
type recorded struct {
	Case    string
	Request struct {
		Method, Path, Auth, Authorization, Raw string
		JSON                                   any
		Headers                                map[string]string
	}
	Answer struct {
		Status  int
		Headers map[string]string
		Body    any
	}
}

// TestAnswersAsApacheOpenWhisk sends what a real server was sent, in the same order, and compares status, headers and body
// with its answers.
func TestAnswersAsApacheOpenWhisk(t *testing.T) {
	data, err := os.ReadFile("testdata/openwhisk.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases []recorded }
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	meant := map[string]string{}
	for _, d := range differences {
		for name := range strings.SplitSeq(d.cases, ", ") {
			meant[name] = d.why
		}
	}
	synctest.Test(t, func(t *testing.T) {
		s := newStandIn(t)
		statuses, texts := 0, 0
		for _, c := range file.Cases {
			time.Sleep(time.Second) // lists are ordered by the time of the last change
			status, got := s.replay(c)
			synctest.Wait()
			diff := cmp.Diff(c.expected(), got)
			if status != c.Answer.Status {
				statuses++
			} else if diff != "" {
				texts++
			}
			why, known := meant[c.Case]
			switch {
			case diff != "" && !known:
				t.Errorf("%s: %s %.100s: status, headers or body are not OpenWhisk's (-OpenWhisk +got):\n%.3000s", c.Case, c.Request.Method, c.Request.Path, diff)
			case diff == "" && known:
				t.Errorf("%s: this is OpenWhisk's answer now; take it from the differences (%s)", c.Case, why)
			}
			delete(meant, c.Case)
		}
		for name := range meant {
			t.Errorf("%s: a difference of a request that is not recorded", name)
		}
		t.Logf("of %d requests %d have another status, %d another body or header", len(file.Cases), statuses, texts)
	})
}

// standIn is an API whose actions do what they did on the real server.
type standIn struct {
	t          *testing.T
	api        *API
	next       invoke.Outcome
	late       time.Duration // the outcome is there after that
	activation string        // of the newest
}

func (s *standIn) Close(context.Context) error { return nil }

func (s *standIn) Run(context.Context, invoke.Invocation) (invoke.Outcome, error) {
	out := s.next
	time.Sleep(s.late)
	return out, nil
}

func newStandIn(t *testing.T) *standIn {
	db, err := state.Open(t.TempDir(), state.Limits{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.CreateNamespace(state.Namespace{ID: testGUID, Name: DefaultNamespace}); err != nil {
		t.Fatal(err)
	}
	s := &standIn{t: t}
	s.api = New(Config{
		DB: db, Invoker: s, APIKey: testKey, Token: testToken, NamespaceID: testGUID,
		APIHost: "https://127.0.0.1:1", Python: "python3", Temp: t.TempDir(),
	})
	t.Cleanup(func() {
		s.api.Close(context.Background())
		_ = db.Close()
	})
	return s
}

// replay sends a recorded request, and gives status and answer in the form of expected.
func (s *standIn) replay(c recorded) (int, map[string]any) {
	s.prepare(c)
	body := c.Request.Raw
	if c.Request.JSON != nil {
		data, err := json.Marshal(written(c.Request.JSON))
		if err != nil {
			s.t.Fatal(err)
		}
		body = string(data)
	}
	r := httptest.NewRequest(c.Request.Method, strings.ReplaceAll(c.Request.Path, "{activation}", s.activation), strings.NewReader(body))
	if c.Request.JSON != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	for k, v := range c.Request.Headers {
		r.Header.Set(k, v)
	}
	switch c.Request.Auth {
	case "valid":
		r.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(testKey)))
	case "as given":
		r.Header.Set("Authorization", c.Request.Authorization)
	}
	w := httptest.NewRecorder()
	s.api.ServeHTTP(w, r)
	if id := w.Header().Get("X-Openwhisk-Activation-Id"); id != "" {
		s.activation = id
	}
	var doc any
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil && w.Body.Len() > 0 {
		doc = w.Body.String()
	}
	if c.Request.Method == http.MethodHead { // whose answers have no body on the wire
		doc = ""
	}
	if m, ok := doc.(map[string]any); ok && m["error"] != nil && m["code"] != nil && (m["code"] != w.Header().Get("X-Request-Id") || len(w.Header().Get("X-Request-Id")) != 32) {
		s.t.Errorf("%s: the code of the error is %v, want the 32 letters of X-Request-ID: %s", c.Case, m["code"], w.Header().Get("X-Request-Id"))
	}
	got := map[string]any{"status": w.Code, "body": alike(c.Answer.Body, doc)}
	for _, name := range compared {
		got[name] = alike(anyOf(c.Answer.Headers[name]), w.Header().Get(name))
	}
	return w.Code, got
}

// prepare lets the action do what it did when the answer was recorded.
func (s *standIn) prepare(c recorded) {
	s.next = invoke.Outcome{Status: invoke.Success, Result: json.RawMessage(`{}`), Logs: []string{"2026-01-01T00:00:00Z stdout: hi", "2026-01-01T00:00:00Z stderr: warn"}}
	s.late = 0
	if c.Answer.Status == http.StatusAccepted && strings.Contains(c.Request.Path, "timeout=") {
		s.late = 2 * time.Second
	}
	doc, _ := c.Answer.Body.(map[string]any)
	response, whole := doc["response"].(map[string]any)
	result := any(doc)
	if whole {
		result = response["result"]
		s.next.Status = invoke.Status(response["status"].(string))
		size, _ := response["size"].(float64)
		s.next.Size = int64(size)
		notes, _ := doc["annotations"].([]any)
		for _, note := range notes {
			s.next.Cold = s.next.Cold || note.(map[string]any)["key"] == "initTime"
			if note.(map[string]any)["key"] == "timeout" && note.(map[string]any)["value"] == true {
				s.next.RunMS = 10_000
			}
		}
	} else if c.Answer.Status == http.StatusBadGateway {
		s.next.Status = invoke.ApplicationError
	}
	if c.Answer.Status != http.StatusAccepted && result != nil {
		s.next.Result, _ = json.Marshal(written(result))
		if !whole { // a list shows later what it was: cold, and in Python's JSON
			s.next.Cold, s.next.Size = true, int64(len(strings.ReplaceAll(string(s.next.Result), `":`, `": `)))
		}
	}
}

var compared = []string{"content-type", "www-authenticate", "allow", "x-openwhisk-activation-id"}

// expected is what was recorded: status, the headers that matter, body.
func (c recorded) expected() map[string]any {
	want := map[string]any{"status": c.Answer.Status, "body": written(c.Answer.Body)}
	for _, name := range compared {
		want[name] = c.Answer.Headers[name]
	}
	return want
}

func anyOf(s string) any { return s }

// written puts the long strings in, which the recording shortens.
func written(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if s, ok := v["$repeat"].(string); ok {
			return strings.Repeat(s, int(v["$times"].(float64)))
		}
		out := map[string]any{}
		for k, x := range v {
			out[k] = written(x)
		}
		return out
	case []any:
		out := []any{}
		for _, x := range v {
			out = append(out, written(x))
		}
		return out
	}
	return v
}

// alike is got, with "<...>" where the recording has that for what differs from run to run.
func alike(want, got any) any {
	switch w := want.(type) {
	case string:
		before, rest, hole := strings.Cut(w, "<")
		_, after, closed := strings.Cut(rest, ">")
		if s, ok := got.(string); hole && closed && (!ok || s != "" && strings.HasPrefix(s, before) && strings.HasSuffix(s, after)) && got != nil {
			return w
		}
	case map[string]any:
		if g, ok := got.(map[string]any); ok {
			out := map[string]any{}
			for k, x := range g {
				out[k] = alike(w[k], x)
			}
			return out
		}
	case []any:
		if g, ok := got.([]any); ok {
			out := []any{}
			for i, x := range g {
				if i < len(w) {
					x = alike(w[i], x)
				}
				out = append(out, x)
			}
			return out
		}
	}
	return got
}

// differences are the answers that are not OpenWhisk's, by why.
var differences = []struct{ why, cases string }{
	{"the endpoint tells its own kinds, limits and build", "root, apiroot, limits"},
	{"paths outside the API are S3's, and browsers are refused", "ping, unknown path, options"},
	{"the parser's words are Go's", "put pkg no body, put pkg bad json, invoke bad json"},
	{"kinds are blackbox and Python's", "put act kind unknown"},
	{"limits are IBM Cloud Functions'", "mem 513, mem 4096, timeout 300001, timeout 600001, conc 2, params too big, anno too big, payload too big"},
	{"what was accepted beyond OpenWhisk's limits stays", "timeout 100, timeout 300000, limits unknown"},
	{"the record is there with the answer", "activation missing"},
	{"the real server had run two activations before", "act count"},
}
