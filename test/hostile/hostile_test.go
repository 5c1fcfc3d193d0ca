//go:build unix

// Package hostile runs the built binary against servers that send malicious or malformed responses.
package hostile

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unicode"

	"fn-runtime/runtime/local/cloud"
	"fn-runtime/test/harness"
	"fn-runtime/test/proxy"
)

var write = flag.Bool("write", false, "write the counts to docs/reliability.md")

const (
	limit     = 2 * time.Minute // per command, whatever the server sends
	maxMemory = 600 << 20       // bytes that a command may allocate while it reads a response
)

var lines = []string{"list", "show me/img:1", "deploy me/img:1", "update all", "invoke me/img:1", "delete all -f", "clean -f", "doctor --repair"}

// evil is text that manipulates a terminal: colors, the title, the writing direction, an 8-bit escape.
const evil = "\x1b[31mred\x1b]0;title\x07\u202eltr\u200b\u009b2J\r\x00end"

func body(text string) proxy.Fault { return respondWith(200, text) }

func respondWith(status int, text string) proxy.Fault {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		_, _ = io.Copy(io.Discard, io.LimitReader(r.Body, 1<<20))
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}
}

func quoted(s string) string {
	data, _ := json.Marshal(s)
	return string(data)
}

// computeFaults returns faults by name: responses to every request of the compute service.
func computeFaults() map[string]proxy.Fault {
	deep := strings.Repeat("[", 200_000)
	e := quoted(evil)
	all := map[string]proxy.Fault{
		"escapes in names":          body(`[{"name":` + e + `,"namespace":` + e + `,"version":` + e + `,"annotations":[{"key":` + e + `,"value":` + e + `}]}]`),
		"escapes in an error":       respondWith(400, `{"error":`+e+`,"code":`+e+`}`),
		"escapes in a 404":          respondWith(404, `{"error":`+e+`,"code":`+e+`}`),
		"escapes in an activation":  respondWith(502, `{"activationId":`+e+`,"response":{"status":`+e+`,"success":false,"result":{"error":`+e+`}},"logs":[`+e+`]}`),
		"names that lead elsewhere": body(`[{"name":"../../../../etc/passwd"},{"name":"lithops_5eC2e/../x"},{"name":"lithops_"},{"name":""}]`),
		"endless body":              endless,
		"bomb":                      bomb(),
		"always something new":      endlessPages,
	}
	for _, text := range []string{"", "null", "true", "0", "-1e999", `""`, "{}", "[]", "[null]", "[[]]", `[{"name":null}]`, `[{"name":1}]`, `{"name":{"name":[]}}`, `{"error":[]}`, `{"error":{"a":1},"code":[]}`,
		deep, `{"a":` + deep, `[{"name":"a"},{"name":"a"},{"name":"a"}]`, `[{"name":"lithops_5eC2e","annotations":"x","limits":3,"exec":[]}]`, `{"response":null,"logs":null}`, "\xff\xfe", `{"name":"a","name":"b"`, "<?xml version='1.0'?><a/>"} {
		all["odd: "+text[:min(len(text), 60)]+fmt.Sprint(len(text))] = body(text)
	}
	return all
}

// endless sends data until the client disconnects.
func endless(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, "[")
	piece := strings.Repeat(`{"name":"a"},`, 5000)
	for range 20_000 {
		if _, err := io.WriteString(w, piece); err != nil {
			return
		}
	}
}

// endlessPages returns a full page of new entries for every list request, indefinitely.
func endlessPages(w http.ResponseWriter, r *http.Request, next http.Handler) {
	if r.Method != http.MethodGet || !r.URL.Query().Has("limit") && !strings.HasSuffix(r.URL.Path, "/namespaces") {
		next.ServeHTTP(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	page := make([]map[string]any, 200)
	for i := range page {
		page[i] = map[string]any{"name": fmt.Sprintf("lithops_5eC2e-%s-%d", r.URL.Query().Get("skip"), i), "namespace": "guest"}
	}
	_ = json.NewEncoder(w).Encode(page)
}

// bomb is a small compressed response that becomes large when it is unpacked.
func bomb() proxy.Fault {
	packed := blanks()
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(packed)
	}
}

func client(t *testing.T, backend string) *cloud.Client {
	t.Helper()
	u := cloud.Open(t, t.TempDir(), nil).NewClient(t, backend, cloud.Lithops(t, ""))
	if backend != "openwhisk" {
		u.Login(t)
	}
	if a := u.Binary(t.Context(), t, "deploy me/img:1"); a.Status != 0 {
		t.Fatal(a)
	}
	return u
}

// run runs a command and checks the properties that must hold for every response.
func run(t *testing.T, u *cloud.Client, what, line string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	cmd := u.Command(t, line)
	a := cloud.Finish(ctx, t, cmd, "IBMCLOUD_HTTP_TIMEOUT=5")
	short := a
	short.Out, short.Err = a.Out[:min(len(a.Out), 3000)], a.Err[:min(len(a.Err), 3000)]
	if a.Took > 20*time.Second {
		t.Logf("%s: '%s' took %s", what, line, a.Took.Round(time.Second))
	}
	switch {
	case ctx.Err() != nil:
		t.Errorf("%s: '%s' does not end", what, line)
	case a.Status != 0 && a.Status != 1:
		t.Errorf("%s: %s", what, short)
	case strings.Contains(a.Err, "goroutine ") || strings.Contains(a.Err, "panic"):
		t.Errorf("%s: it crashed: %s", what, short)
	case a.Status == 1 && !strings.Contains(line, "json") && !strings.Contains(a.Err, "FAILED"):
		t.Errorf("%s: it fails without a word: %s", what, short)
	}
	for _, r := range a.Out + a.Err {
		if unicode.IsControl(r) && r != '\n' || unicode.Is(unicode.Cf, r) {
			t.Errorf("%s: '%s' prints %U: %q", what, line, r, short.Out+short.Err)
			break
		}
	}
	if strings.Contains(line, "json") && !json.Valid([]byte(a.Out)) {
		t.Errorf("%s: no JSON: %s", what, short)
	}
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok && usage.Maxrss*1024 > maxMemory {
		t.Errorf("%s: '%s' took %d MB", what, line, usage.Maxrss>>10)
	}
}

func TestHostileAnswers(t *testing.T) {
	type trial struct {
		n       int
		what    string
		service string
		fault   proxy.Fault
	}
	var trials []trial
	var tried atomic.Int64
	all := computeFaults()
	for _, what := range slices.Sorted(maps.Keys(all)) {
		fault := all[what]
		trials = append(trials, trial{len(trials), what, cloud.OpenWhisk, fault})
	}
	all = stores()
	for _, what := range slices.Sorted(maps.Keys(all)) {
		fault := all[what]
		trials = append(trials, trial{len(trials), what, cloud.S3, fault})
	}
	all = jobs()
	for _, what := range slices.Sorted(maps.Keys(all)) {
		fault := all[what]
		trials = append(trials, trial{len(trials), what, cloud.CodeEngine, fault})
	}
	var wg sync.WaitGroup
	work := make(chan trial)
	for range 8 {
		wg.Go(func() {
			ow, ce := client(t, "openwhisk"), client(t, "code_engine")
			for tr := range work {
				u := ow
				if tr.service == cloud.CodeEngine {
					u = ce
				}
				u.Cloud.Proxies[tr.service].Inject(func(proxy.Request) proxy.Fault { return tr.fault })
				for i, line := range lines {
					if i%2 != tr.n%2 {
						continue // the next response covers the other half
					}
					if i%4 < 2 {
						line += " --output json"
					}
					run(t, u, tr.what, line)
					tried.Add(1)
				}
				u.Cloud.Proxies[tr.service].Inject(nil)
			}
		})
	}
	for _, tr := range trials {
		work <- tr
	}
	close(work)
	wg.Wait()
	if *write && !t.Failed() {
		harness.Figure(t, "Hostile responses: commands tested", fmt.Sprint(tried.Load()))
	}
}
