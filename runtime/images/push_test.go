package images

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/distribution/reference"
	"github.com/docker/docker/client"

	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/images/engine"
	"fn-runtime/runtime/runtimetest"
	"fn-runtime/runtime/transport"
)

// fakeEngine returns an engine whose API is served by h on connections in memory.
func fakeEngine(t *testing.T, h http.HandlerFunc) *engine.Engine {
	t.Helper()
	m := runtimetest.NewListener()
	server := &http.Server{Handler: h}
	served := make(chan error, 1)
	go func() { served <- server.Serve(m) }()
	c, err := client.NewClientWithOpts(client.WithHost("tcp://memory:1"), client.WithDialContext(m.Dial))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Close()
		_ = server.Close()
		<-served
	})
	return &engine.Engine{Operations: engine.OperationsOf(c), Host: "tcp://test"}
}

// pushSucceeded is the last message of a successful push.
const pushSucceeded = `{"aux":{"Tag":"1","Digest":"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","Size":1}}` + "\n"

// If a registry does not respond, the engine sends no messages. The push then fails without a retry. A slow push
// continues.
func TestStalledPush(t *testing.T) {
	ref, err := reference.ParseNormalizedNamed("127.0.0.1:1/me/x:1")
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		messages int           // number of messages that the engine sends
		every    time.Duration // time before each message
		hang     bool
		kind     fault.Kind
	}{
		"silent from the start": {hang: true, kind: fault.Timeout},
		"silent after a layer":  {messages: 3, every: time.Second, hang: true, kind: fault.Timeout},
		"slow":                  {messages: 20, every: pushStallTimeout - time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var pushes atomic.Int32
				e := fakeEngine(t, func(w http.ResponseWriter, r *http.Request) {
					if !strings.HasSuffix(r.URL.Path, "/push") {
						return
					}
					pushes.Add(1)
					_, _ = io.Copy(io.Discard, r.Body) // so that the end of the connection is detected
					for range tc.messages {
						time.Sleep(tc.every)
						_, _ = io.WriteString(w, `{"status":"Pushing","id":"layer","progressDetail":{"current":1,"total":2}}`+"\n")
						w.(http.Flusher).Flush()
					}
					if tc.hang {
						<-r.Context().Done()
						return
					}
					_, _ = io.WriteString(w, pushSucceeded)
				})
				digest, err := New(Options{}).push(t.Context(), e, ref, newPrinter(nil))
				if fault.KindOf(err) != tc.kind || pushes.Load() != 1 || (err == nil) != (digest != "") {
					t.Errorf("got %q, %v after %d pushes; want %q after 1", digest, err, pushes.Load(), tc.kind)
				}
			})
		})
	}
}

// The time of the engine's retries counts against the command's budget: a push that has spent it is not retried.
func TestPushRetriedByTheEngine(t *testing.T) {
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
		stream string // messages of the first push, one per second
		budget time.Duration
		pushes int
		lines  string
	}{
		"for longer than the budget": {stream: pushing + waiting + pushing + waiting + failed, budget: 2 * time.Second, pushes: 1,
			lines: "layer: Retrying in 2 seconds\nlayer: Retrying in 2 seconds\n"},
		"without success": {stream: pushing + waiting + failed, budget: time.Minute, pushes: 2},
		"with success":    {stream: pushing + waiting + pushing + pushed + failed, budget: time.Minute, pushes: 2},
		"no retry":        {stream: pushing + pushed + failed, budget: time.Minute, pushes: 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var pushes atomic.Int32
				e := fakeEngine(t, func(w http.ResponseWriter, r *http.Request) {
					if !strings.HasSuffix(r.URL.Path, "/push") {
						return
					}
					if pushes.Add(1) == 1 {
						for line := range strings.Lines(tc.stream) {
							_, _ = io.WriteString(w, line)
							w.(http.Flusher).Flush()
							time.Sleep(time.Second)
						}
						return
					}
					_, _ = io.WriteString(w, pushSucceeded)
				})
				var out strings.Builder
				_, err = New(Options{Budget: transport.NewBudget(tc.budget)}).push(t.Context(), e, ref, newPrinter(&out))
				if int(pushes.Load()) != tc.pushes || (err == nil) != (tc.pushes == 2) {
					t.Errorf("got %d pushes, %v; want %d", pushes.Load(), err, tc.pushes)
				}
				if tc.lines != "" && out.String() != tc.lines {
					t.Errorf("printed %q, want %q", out.String(), tc.lines)
				}
			})
		})
	}
}
