// Package faults tries every fault at every request of every command. The pairs come from the requests that the commands
// were seen to send, so that a new request is covered without anyone remembering.
//
// The commands run in this process, against the local endpoint's own servers behind proxies, because a process for each
// of some thousand runs takes too long; test/crash does part of it with the built binary.
package faults

import (
	"context"
	"flag"
	"fmt"
	"regexp"
	"slices"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"fn-runtime/test/cloud"
	"fn-runtime/test/harness"
	"fn-runtime/test/proxy"
)

var (
	full  = flag.Bool("full", false, "every fault at every request, passing and lasting, instead of a sample")
	write = flag.Bool("write", false, "write the counts to docs/reliability.md")
	only  = flag.String("only", "", "only pairs whose name contains this")
)

const (
	// patience is how long a command with a fault waits for an answer.
	patience = 4 * time.Second
	// hang is how long a server keeps a request without an answer: an invocation waits for it.
	hang = 30 * time.Second
	// longest is how long a command may take whatever happens: the transport's deadline and a little.
	longest = 100 * time.Second
	// atOnce is how many commands run side by side. They mostly wait.
	atOnce = 128
)

// request is a request as it is recognised in another run: the nth of its kind.
type request struct {
	service string
	what    string // method and path, without ports and ids
	nth     int    // 1 for the first of its kind
}

func (r request) String() string { return fmt.Sprintf("%s %s (%d)", r.service, r.what, r.nth) }

var id = regexp.MustCompile(`\b([0-9a-f]{32}|[0-9a-f]{8}-[0-9a-f-]{27})\b`)

func kind(c *cloud.Cloud, r proxy.Request) string {
	return r.Method + " " + id.ReplaceAllString(c.Portless(r.Path), "ID")
}

// pair is one fault at one request of one command.
type pair struct {
	story   story
	request request
	fault   proxy.Named
	lasting bool // the request and all like it, from then on
	base    *baseline
}

func (p pair) String() string {
	last := "once"
	if p.lasting {
		last = "lasting"
	}
	return fmt.Sprintf("%s / %s / %s, %s", p.story.name, p.request, p.fault.Name, last)
}

// baseline is what an undisturbed run does and leaves.
type baseline struct {
	answer   cloud.Answer
	state    []string
	requests []request
}

func TestMatrix(t *testing.T) {
	lithops, other := cloud.Lithops(t, "a = 1\n"), cloud.Lithops(t, "a = 2\n")
	var pairs []pair
	for _, st := range stories() {
		base := record(t, st, lithops, other)
		t.Logf("%s: %d requests", st.name, len(base.requests))
		for i, r := range base.requests {
			for j, f := range proxy.Catalogue(hang) {
				for _, lasting := range []bool{false, true} {
					p := pair{story: st, request: r, fault: f, lasting: lasting, base: base}
					if !*full && (!lasting && (i+j)%3 != 0 || lasting && (i+j)%9 != 1) {
						continue // the sample: each request meets a third of the passing faults, each ninth of the lasting ones
					}
					if strings.Contains(p.String(), *only) {
						pairs = append(pairs, p)
					}
				}
			}
		}
	}
	counts := run(t, pairs, lithops, other)
	t.Logf("%d pairs tried: %d succeeded, %d failed with a message and healed; %d wrong", len(pairs), counts.succeeded, counts.healed, counts.wrong)
	if *write && !t.Failed() {
		harness.Figure(t, "Faults: pairs of request and fault tried", fmt.Sprint(len(pairs)))
		harness.Figure(t, "Faults: command succeeded all the same", fmt.Sprint(counts.succeeded))
		harness.Figure(t, "Faults: command failed with a remedy, next run right", fmt.Sprint(counts.healed))
		harness.Figure(t, "Faults: wrong", fmt.Sprint(counts.wrong))
	}
}

// record runs a story undisturbed.
func record(t *testing.T, st story, lithops, other string) *baseline {
	t.Helper()
	s, err := st.set(t, lithops, other)
	if err != nil {
		t.Fatalf("%s: %v", st.name, err)
	}
	defer s.Cloud.Close()
	b := &baseline{answer: s.Run(t.Context(), st.line+" --output json")}
	if b.answer.Status != 0 {
		t.Fatalf("%s: %s", st.name, b.answer)
	}
	for service, p := range s.Cloud.Proxies {
		seen := map[string]int{}
		for _, r := range p.Record() {
			what := kind(s.Cloud, r)
			seen[what]++
			b.requests = append(b.requests, request{service, what, seen[what]})
		}
	}
	sort.Slice(b.requests, func(i, j int) bool { return b.requests[i].String() < b.requests[j].String() })
	b.answer.Out = steady(s, b.answer.Out)
	b.state = really(t, s)
	return b
}

type counts struct{ succeeded, healed, wrong int }

func run(t *testing.T, pairs []pair, lithops, other string) (n counts) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	next := make(chan pair)
	for range atOnce {
		wg.Go(func() {
			for p := range next {
				failed, trouble := try(t, p, lithops, other)
				mu.Lock()
				switch {
				case len(trouble) > 0:
					n.wrong++
					t.Errorf("%s:\n    %s", p, strings.Join(trouble, "\n    "))
				case failed:
					n.healed++
				default:
					n.succeeded++
				}
				mu.Unlock()
			}
		})
	}
	sort.SliceStable(pairs, func(i, j int) bool { return pairs[i].lasting && !pairs[j].lasting }) // the slow ones first
	for _, p := range pairs {
		next <- p
	}
	close(next)
	wg.Wait()
	return n
}

// try runs a command with one fault, judges what it says by what is there, and runs it again undisturbed.
func try(t *testing.T, p pair, lithops, other string) (failed bool, trouble []string) {
	wrong := func(format string, args ...any) { trouble = append(trouble, fmt.Sprintf(format, args...)) }
	s, err := p.story.set(t, lithops, other)
	if err != nil {
		return false, []string{err.Error()}
	}
	defer s.Cloud.Close()
	hit := inject(s.Cloud, p)
	s.Timeout = patience
	ctx, cancel := context.WithTimeout(t.Context(), longest+5*time.Second)
	a := s.Run(ctx, p.story.line+" --output json")
	cancel()
	for _, pr := range s.Cloud.Proxies {
		pr.Inject(nil)
	}
	if !hit() {
		wrong("the request was not sent: the record does not describe the command")
	}
	if a.Took > longest {
		wrong("it took %s", a.Took)
	}
	failed = a.Status != 0
	trouble = append(trouble, judge(s, p, a)...)
	if !p.story.orphans {
		if list, err := s.Cloud.Orphans(); err != nil || len(list) > 0 {
			wrong("metadata without action: %v %v", list, err)
		}
	}
	s.Timeout = time.Minute
	again := s.Run(t.Context(), p.story.line+" --output json")
	if again.Status != 0 && (!p.story.gone || !strings.Contains(again.Out, `"not_found"`)) {
		wrong("the next run: %s", again)
	}
	if got := really(t, s); !slices.Equal(got, p.base.state) {
		wrong("after the next run there is\n        %s\n      instead of\n        %s", strings.Join(got, "\n        "), strings.Join(p.base.state, "\n        "))
	}
	if len(trouble) > 0 {
		wrong("the run with the fault: %s", a)
	}
	return failed, trouble
}

// inject arms the fault; the function returned tells whether it happened.
func inject(c *cloud.Cloud, p pair) func() bool {
	var mu sync.Mutex
	seen := 0
	c.Proxies[p.request.service].Inject(func(r proxy.Request) proxy.Fault {
		if kind(c, r) != p.request.what {
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
	return func() bool {
		mu.Lock()
		defer mu.Unlock()
		return seen >= p.request.nth
	}
}

func really(t *testing.T, s *stage) []string {
	lines, err := s.Cloud.State(s.Home)
	if err != nil {
		t.Error(err)
	}
	return lines
}
