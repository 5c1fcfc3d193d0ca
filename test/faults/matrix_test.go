// Package faults injects every fault into every request of every command. The pairs are derived from the requests that
// the commands actually send, so new requests are covered automatically.
//
// The commands are runs of the built binary, against the local endpoint's own servers and a registry, behind proxies.
package faults

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"fn-runtime/runtime/local/cloud"
	"fn-runtime/test/harness"
	"fn-runtime/test/proxy"
)

var (
	full  = flag.Bool("full", false, "every fault at every request, passing and lasting, instead of a sample")
	write = flag.Bool("write", false, "write the counts to docs/reliability.md")
	only  = flag.String("only", "", "only pairs, and kills, whose name contains this")
)

const (
	// patience is the number of seconds that a command with a fault waits for a response.
	patience = 8
	// budget is the number of seconds for which a command with a fault retries requests: less than the default, so that
	// thousands of runs finish.
	budget = 15
	// hang is the time for which a server holds a request without a response. An invocation waits for it.
	hang = 30 * time.Second
	// pause is the time for which connections are refused if the fault is temporary. The first retries come sooner.
	pause = time.Second
	// longest is the time limit of a command, for any fault and on a busy machine. An engine has its own waiting times.
	longest, longestEngine = 100 * time.Second, 300 * time.Second
	// waiting is the number of pairs with a lasting fault that run concurrently; they mostly wait. working is the
	// number of pairs with a temporary fault that run concurrently. It also limits how many of the other pairs run
	// without a fault at the same time.
	waiting, working = 48, 6
)

// request identifies a request across runs: the nth of its kind.
type request struct {
	service string
	what    string // method and path, without ports and IDs
	nth     int    // 1-based, among requests of its kind
	at      int    // 1-based, among requests to its service
}

func (r request) String() string { return fmt.Sprintf("%s %s (%d)", r.service, r.what, r.nth) }

// id matches values that differ between runs: IDs of activations, builds, namespaces and uploads, and digests.
var id = regexp.MustCompile(`\b([0-9a-f]{32}|[0-9a-f]{64}|[0-9a-f]{8}-[0-9a-f-]{27}|[0-9]{12,})\b|%3A[0-9a-f]{64}`)

func kind(c *cloud.Cloud, r proxy.Request) string {
	return r.Method + " " + id.ReplaceAllString(c.Normalize(r.Path), "ID")
}

// pair is one fault at one request of one command.
type pair struct {
	story   story
	request request
	fault   proxy.Named
	lasting bool // the fault affects this request and all later ones like it
	base    *baseline
}

func (p pair) String() string {
	last := "once"
	if p.lasting {
		last = "lasting"
	}
	return fmt.Sprintf("%s / %s / %s, %s", p.story.name, p.request, p.fault.Name, last)
}

// baseline is the record and the result of an undisturbed run.
type baseline struct {
	answer   cloud.Result
	state    []string
	requests []request
}

func TestMatrix(t *testing.T) {
	needEngine(t)
	lithops, other := cloud.Lithops(t, "a = 1\n"), cloud.Lithops(t, "a = 2\n")
	var pairs []pair
	requests := 0
	for _, st := range stories() {
		base := record(t, st, lithops, other)
		t.Logf("%s: %d requests", st.name, len(base.requests))
		for _, r := range base.requests {
			i := requests
			requests++
			for j, f := range proxy.Catalog(hang) {
				for _, lasting := range []bool{false, true} {
					p := pair{story: st, request: r, fault: f, lasting: lasting, base: base}
					if !*full && (!lasting && (i+j)%12 != 0 || lasting && (i+j)%19 != 1) {
						continue // sample: each request gets a twelfth of the temporary faults and one lasting fault
					}
					if strings.Contains(p.String(), *only) {
						pairs = append(pairs, p)
					}
				}
			}
		}
	}
	counts := run(t, pairs, lithops, other)
	t.Logf("%d pairs tried: %d succeeded, %d failed with a message and recovered; %d wrong", len(pairs), counts.succeeded, counts.recovered, counts.wrong)
	if *write && !t.Failed() {
		harness.Figure(t, "Faults: pairs of request and fault tried", fmt.Sprint(len(pairs)))
		harness.Figure(t, "Faults: command succeeded despite the fault", fmt.Sprint(counts.succeeded))
		harness.Figure(t, "Faults: command failed with a suggested fix, next run correct", fmt.Sprint(counts.recovered))
		harness.Figure(t, "Faults: wrong results", fmt.Sprint(counts.wrong))
	}
}

// record runs a story without a fault.
func record(t *testing.T, st story, lithops, other string) *baseline {
	t.Helper()
	s, err := st.setUp(t, lithops, other)
	if err != nil {
		t.Fatalf("%s: %v", st.name, err)
	}
	defer s.Cloud.Close()
	b := &baseline{answer: s.Binary(t.Context(), t, st.line+" --output json")}
	if b.answer.Status != 0 {
		t.Fatalf("%s: %s", st.name, b.answer)
	}
	for service, p := range s.Cloud.Proxies {
		seen := map[string]int{}
		for i, r := range p.Record() {
			what := kind(s.Cloud, r)
			seen[what]++
			b.requests = append(b.requests, request{service, what, seen[what], i + 1})
		}
	}
	sort.Slice(b.requests, func(i, j int) bool { return b.requests[i].String() < b.requests[j].String() })
	b.answer.Out = normalize(s, b.answer.Out)
	b.state = actualState(t, s)
	if all, err := s.Cloud.State(s.Home); err != nil || len(all) != len(b.state) {
		t.Errorf("%s: undisturbed it leaves behind some of %q (%v)", st.name, all, err)
	}
	return b
}

type counts struct{ succeeded, recovered, wrong int }

func run(t *testing.T, pairs []pair, lithops, other string) (n counts) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	work := make(chan struct{}, working)
	for _, pool := range []struct {
		lasting bool
		size    int
	}{{true, waiting}, {false, working}} {
		next := make(chan pair)
		wg.Go(func() {
			defer close(next)
			for _, p := range pairs {
				if p.lasting == pool.lasting {
					next <- p
				}
			}
		})
		for range pool.size {
			wg.Go(func() {
				for p := range next {
					failed, trouble := try(t, p, lithops, other, work)
					mu.Lock()
					n.add(failed, trouble)
					mu.Unlock()
					if len(trouble) > 0 {
						t.Errorf("%s:\n    %s", p, strings.Join(trouble, "\n    "))
					}
				}
			})
		}
	}
	wg.Wait()
	return n
}

func (n *counts) add(failed bool, trouble []string) {
	switch {
	case len(trouble) > 0:
		n.wrong++
	case failed:
		n.recovered++
	default:
		n.succeeded++
	}
}

// tries is how often a pair is tried if its request was not sent. On a busy machine, a command may end before it sends
// the request.
const tries = 3

func try(t *testing.T, p pair, lithops, other string, work chan struct{}) (failed bool, trouble []string) {
	for range tries {
		var sent bool
		if sent, failed, trouble = tryOnce(t, p, lithops, other, work); sent || len(trouble) > 0 {
			return failed, trouble
		}
	}
	if p.fault.Fault == nil && !p.lasting {
		return failed, nil // the refusal may have ended while the command paused before the request
	}
	return failed, []string{"the request was not sent: the record does not describe the command"}
}

// tryOnce runs a command with one fault, compares its output with the actual state, and reruns it without a fault. work
// limits the concurrent runs without a fault. sent reports whether the request was sent.
func tryOnce(t *testing.T, p pair, lithops, other string, work chan struct{}) (sent, failed bool, trouble []string) {
	wrong := func(format string, args ...any) { trouble = append(trouble, fmt.Sprintf(format, args...)) }
	work <- struct{}{}
	s, err := p.story.setUp(t, lithops, other)
	<-work
	if err != nil {
		return false, false, []string{err.Error()}
	}
	defer s.Cloud.Close()
	hit, end, err := inject(s, p)
	if err != nil {
		return false, false, []string{err.Error()}
	}
	trace := filepath.Join(t.TempDir(), "trace")
	limit := longest
	if p.story.engine {
		limit = longestEngine
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit+5*time.Second)
	a := s.Binary(ctx, t, p.story.line+" --output json", fmt.Sprint("IBMCLOUD_HTTP_TIMEOUT=", patience),
		fmt.Sprint("FN_RUNTIME_RETRY_SECONDS=", budget), "IBMCLOUD_TRACE="+trace)
	cancel()
	if err := end(); err != nil {
		wrong("%v", err)
	}
	sent = hit(trace)
	if a.Took > limit {
		wrong("it took %s", a.Took)
	}
	failed = a.Status != 0
	trouble = append(trouble, judge(t, s, p, a)...)
	if !p.story.orphans {
		if list, err := s.Cloud.Orphans(); err != nil || len(list) > 0 {
			wrong("metadata without action: %v %v", list, err)
		}
	}
	work <- struct{}{}
	again := s.Binary(t.Context(), t, p.story.line+" --output json")
	<-work
	if again.Status != 0 && (!p.story.gone || !strings.Contains(again.Out, `"not_found"`)) {
		wrong("the next run: %s", again)
	}
	if got := actualState(t, s); !slices.Equal(got, p.base.state) {
		wrong("after the next run there is\n        %s\n      instead of\n        %s", strings.Join(got, "\n        "), strings.Join(p.base.state, "\n        "))
	}
	if len(trouble) > 0 {
		wrong("the run with the fault: %s", a)
	}
	return sent, failed, trouble
}

// inject enables the fault. The function hit reports whether the fault affected the client, whose trace file is its
// argument. The function end disables the fault.
func inject(s *stage, p pair) (hit func(trace string) bool, end func() error, err error) {
	server := s.Cloud.Proxies[p.request.service]
	if p.fault.Fault == nil {
		after := pause
		if p.lasting {
			after = 0
		}
		return func(trace string) bool {
			if s.Cloud.Proxies[engine] != nil { // requests of and to the engine are not in the trace
				return len(server.Record()) >= p.request.at-1
			}
			text, _ := os.ReadFile(trace)
			if p.request.service == cloud.CodeEngine { // the proxy in front of it reports the request
				return strings.Contains(string(text), "Bad Gateway")
			}
			return strings.Contains(string(text), "connection refused")
		}, server.Accept, server.RefuseFrom(p.request.at, after)
	}
	var mu sync.Mutex
	seen := 0
	server.Inject(func(r proxy.Request) proxy.Fault {
		if kind(s.Cloud, r) != p.request.what {
			return nil
		}
		mu.Lock()
		defer mu.Unlock()
		seen++
		if seen == p.request.nth || p.lasting && seen > p.request.nth {
			return p.fault.Fault
		}
		return nil
	})
	hit = func(string) bool {
		mu.Lock()
		defer mu.Unlock()
		return seen >= p.request.nth
	}
	return hit, func() error { server.Inject(nil); return nil }, nil
}

// actualState returns the existing items. It omits items that are harmless if their deletion fails, because clean
// deletes them later: the object through which a run passed its metadata, and code that no job needs any more.
func actualState(t *testing.T, s *stage) []string {
	lines, err := s.Cloud.State(s.Home)
	if err != nil {
		t.Error(err)
	}
	return slices.DeleteFunc(lines, func(line string) bool {
		return strings.HasPrefix(line, "object lithops.jobs/RANDOM") || strings.HasPrefix(line, "unused ")
	})
}
