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

// recorded is a request with the response of Apache OpenWhisk.
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

// The recorded requests are sent in their original order. Status, headers and body must match the recorded responses of
// Apache OpenWhisk.
func TestResponsesMatchApacheOpenWhisk(t *testing.T) {
	data, err := os.ReadFile("testdata/openwhisk.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases []recorded }
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	intended := map[string]string{}
	for _, d := range differences {
		for name := range strings.SplitSeq(d.cases, ", ") {
			intended[name] = d.why
		}
	}
	synctest.Test(t, func(t *testing.T) {
		s := newReplayer(t)
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
			why, expected := intended[c.Case]
			switch {
			case diff != "" && !expected:
				t.Errorf("%s: %s %.100s: status, headers or body differ from OpenWhisk (-OpenWhisk +got):\n%.3000s", c.Case, c.Request.Method, c.Request.Path, diff)
			case diff == "" && expected:
				t.Errorf("%s: the response now equals OpenWhisk's; remove the case from differences (%s)", c.Case, why)
			}
			delete(intended, c.Case)
		}
		for name := range intended {
			t.Errorf("%s: this case in differences is not recorded", name)
		}
		t.Logf("of %d requests, %d have a different status and %d a different body or header", len(file.Cases), statuses, texts)
	})
}

// replayer is an API whose actions return the recorded outcomes of the real server.
type replayer struct {
	t          *testing.T
	api        *API
	outcome    invoke.Outcome
	delay      time.Duration // time until the outcome is available
	activation string        // ID of the newest activation
}

func (s *replayer) Close(context.Context) error { return nil }

func (s *replayer) Run(context.Context, invoke.Invocation) (invoke.Outcome, error) {
	out := s.outcome
	time.Sleep(s.delay)
	return out, nil
}

func newReplayer(t *testing.T) *replayer {
	db, err := state.Open(t.TempDir(), state.Limits{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.CreateNamespace(state.Namespace{ID: testGUID, Name: DefaultNamespace}); err != nil {
		t.Fatal(err)
	}
	s := &replayer{t: t}
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

// replay sends a recorded request, and returns the status and the response in the form of expected.
func (s *replayer) replay(c recorded) (int, map[string]any) {
	s.setOutcome(c)
	body := c.Request.Raw
	if c.Request.JSON != nil {
		data, err := json.Marshal(expand(c.Request.JSON))
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
	if c.Request.Method == http.MethodHead { // the response has no body
		doc = ""
	}
	if m, ok := doc.(map[string]any); ok && m["error"] != nil && m["code"] != nil && (m["code"] != w.Header().Get("X-Request-Id") || len(w.Header().Get("X-Request-Id")) != 32) {
		s.t.Errorf("%s: the code of the error is %v, want the 32 characters of X-Request-ID: %s", c.Case, m["code"], w.Header().Get("X-Request-Id"))
	}
	got := map[string]any{"status": w.Code, "body": maskVariable(c.Answer.Body, doc)}
	for _, name := range comparedHeaders {
		got[name] = maskVariable(anyOf(c.Answer.Headers[name]), w.Header().Get(name))
	}
	return w.Code, got
}

// setOutcome sets the outcome of the next activation to the one in the recorded response.
func (s *replayer) setOutcome(c recorded) {
	s.outcome = invoke.Outcome{Status: invoke.Success, Result: json.RawMessage(`{}`), Logs: []string{"2026-01-01T00:00:00Z stdout: hi", "2026-01-01T00:00:00Z stderr: warn"}}
	s.delay = 0
	if c.Answer.Status == http.StatusAccepted && strings.Contains(c.Request.Path, "timeout=") {
		s.delay = 2 * time.Second
	}
	doc, _ := c.Answer.Body.(map[string]any)
	response, isRecord := doc["response"].(map[string]any)
	result := any(doc)
	if isRecord {
		result = response["result"]
		s.outcome.Status = invoke.Status(response["status"].(string))
		size, _ := response["size"].(float64)
		s.outcome.Size = int64(size)
		notes, _ := doc["annotations"].([]any)
		for _, note := range notes {
			s.outcome.Cold = s.outcome.Cold || note.(map[string]any)["key"] == "initTime"
			if note.(map[string]any)["key"] == "timeout" && note.(map[string]any)["value"] == true {
				s.outcome.RunMS = 10_000
			}
		}
	} else if c.Answer.Status == http.StatusBadGateway {
		s.outcome.Status = invoke.ApplicationError
	}
	if c.Answer.Status != http.StatusAccepted && result != nil {
		s.outcome.Result, _ = json.Marshal(expand(result))
		if !isRecord { // the activation record is compared later: a cold start with the size of Python's JSON
			s.outcome.Cold, s.outcome.Size = true, int64(len(strings.ReplaceAll(string(s.outcome.Result), `":`, `": `)))
		}
	}
}

var comparedHeaders = []string{"content-type", "www-authenticate", "allow", "x-openwhisk-activation-id"}

// expected returns the recorded response: status, compared headers and body.
func (c recorded) expected() map[string]any {
	want := map[string]any{"status": c.Answer.Status, "body": expand(c.Answer.Body)}
	for _, name := range comparedHeaders {
		want[name] = c.Answer.Headers[name]
	}
	return want
}

func anyOf(s string) any { return s }

// expand restores long strings, which the recording abbreviates.
func expand(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if s, ok := v["$repeat"].(string); ok {
			return strings.Repeat(s, int(v["$times"].(float64)))
		}
		out := map[string]any{}
		for k, x := range v {
			out[k] = expand(x)
		}
		return out
	case []any:
		out := []any{}
		for _, x := range v {
			out = append(out, expand(x))
		}
		return out
	}
	return v
}

// maskVariable returns got with the placeholders "<...>" of the recording. They replace values that differ in each run.
func maskVariable(want, got any) any {
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
				out[k] = maskVariable(w[k], x)
			}
			return out
		}
	case []any:
		if g, ok := got.([]any); ok {
			out := []any{}
			for i, x := range g {
				if i < len(w) {
					x = maskVariable(w[i], x)
				}
				out = append(out, x)
			}
			return out
		}
	}
	return got
}

// differences are the cases whose responses intentionally differ from OpenWhisk, with the reason.
var differences = []struct{ why, cases string }{
	{"the endpoint returns its own kinds, limits and build", "root, apiroot, limits"},
	{"paths outside the API belong to S3, and browsers are rejected", "ping, unknown path, options"},
	{"error messages of the Go JSON parser", "put pkg no body, put pkg bad json, invoke bad json"},
	{"only blackbox and Python kinds are supported", "put act kind unknown"},
	{"the limits are those of IBM Cloud Functions", "mem 513, mem 4096, timeout 300001, timeout 600001, conc 2, params too big, anno too big, payload too big"},
	{"values beyond OpenWhisk's limits were accepted before", "timeout 100, timeout 300000, limits unknown"},
	{"the record already exists when the response is sent", "activation missing"},
	{"the real server had run two activations before", "act count"},
}
