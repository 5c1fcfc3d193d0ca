package images

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/distribution/reference"
	"github.com/docker/docker/client"

	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/images/engine"
	"fn-runtime/runtime/transport"
)

// engineAt is an engine that a test's server plays.
func engineAt(t *testing.T, server *httptest.Server) *engine.Engine {
	t.Helper()
	c, err := client.NewClientWithOpts(client.WithHost("tcp://" + server.Listener.Addr().String()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return &engine.Engine{Client: c, Host: "tcp://test"}
}

// pushedAll is how an engine ends a push that went well.
const pushedAll = `{"aux":{"Tag":"1","Digest":"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","Size":1}}` + "\n"

// A registry that does not answer leaves the engine silent. The push ends then, once, and says so; a slow one goes on.
func TestPushThatDoesNotMove(t *testing.T) {
	ref, err := reference.ParseNormalizedNamed("127.0.0.1:1/me/x:1")
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		words   int // that the engine says, one each 100 ms
		hang    bool
		kind    fault.Kind
		pushes  int
		silence time.Duration
	}{
		"silent from the start": {hang: true, kind: fault.Timeout, pushes: 1, silence: 50 * time.Millisecond},
		"silent after a layer":  {words: 3, hang: true, kind: fault.Timeout, pushes: 1, silence: 1500 * time.Millisecond},
		"slow":                  {words: 20, pushes: 1, silence: 1500 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			var pushes atomic.Int32
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if !strings.HasSuffix(r.URL.Path, "/push") {
					return
				}
				pushes.Add(1)
				_, _ = io.Copy(io.Discard, r.Body) // so that the end of the connection is seen
				for range tc.words {
					time.Sleep(100 * time.Millisecond)
					_, _ = io.WriteString(w, `{"status":"Pushing","id":"layer","progressDetail":{"current":1,"total":2}}`+"\n")
					w.(http.Flusher).Flush()
				}
				if tc.hang {
					<-r.Context().Done()
					return
				}
				_, _ = io.WriteString(w, pushedAll)
			}))
			defer server.Close()
			b := New(Options{PushSilence: tc.silence})
			digest, err := b.push(t.Context(), engineAt(t, server), ref, newPrinter(nil))
			if fault.KindOf(err) != tc.kind || int(pushes.Load()) != tc.pushes || (err == nil) != (digest != "") {
				t.Errorf("%q, %d pushes, %v", digest, pushes.Load(), err)
			}
		})
	}
}

// The time in which the engine repeats something is the command's: a push that used it up is not begun again.
func TestPushThatTheEngineRepeats(t *testing.T) {
	ref, err := reference.ParseNormalizedNamed("127.0.0.1:1/me/x:1")
	if err != nil {
		t.Fatal(err)
	}
	const (
		pushing = `{"status":"Pushing","id":"layer","progressDetail":{"current":1,"total":2}}` + "\n"
		waiting = `{"status":"Retrying in 2 seconds","id":"layer"}` + "\n" + `{"status":"Retrying in 1 second","id":"layer"}` + "\n"
		pushed  = `{"status":"Pushed","id":"layer"}` + "\n"
		failed  = `{"errorDetail":{"message":"received unexpected HTTP status: 502 Bad Gateway"},"error":"502"}` + "\n"
	)
	for name, tc := range map[string]struct {
		says   string
		budget *transport.Budget
		pushes int
		lines  string
	}{
		"for longer than the budget": {says: pushing + waiting + pushing + waiting + failed, budget: transport.NewBudget(time.Second), pushes: 1,
			lines: "layer: Retrying in 2 seconds\nlayer: Retrying in 2 seconds\n"},
		"in vain":      {says: pushing + waiting + failed, budget: transport.NewBudget(time.Minute), pushes: 2},
		"with success": {says: pushing + waiting + pushing + pushed + failed, budget: transport.NewBudget(time.Minute), pushes: 2},
		"not at all":   {says: pushing + pushed + failed, budget: transport.NewBudget(time.Minute), pushes: 2},
	} {
		t.Run(name, func(t *testing.T) {
			var pushes atomic.Int32
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if !strings.HasSuffix(r.URL.Path, "/push") {
					return
				}
				if pushes.Add(1) == 1 {
					_, _ = io.WriteString(w, tc.says)
					return
				}
				_, _ = io.WriteString(w, pushedAll)
			}))
			defer server.Close()
			var out strings.Builder
			_, err = New(Options{Budget: tc.budget}).push(t.Context(), engineAt(t, server), ref, newPrinter(&out))
			if int(pushes.Load()) != tc.pushes || (err == nil) != (tc.pushes == 2) {
				t.Errorf("%d pushes, %v", pushes.Load(), err)
			}
			if tc.lines != "" && out.String() != tc.lines {
				t.Errorf("it prints %q", out.String())
			}
		})
	}
}
