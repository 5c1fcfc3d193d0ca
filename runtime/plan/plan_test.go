package plan_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/plan"
	"fn-runtime/runtime/runtimetest"
	"fn-runtime/runtime/site"
)

// journal records the steps that were run.
type journal struct {
	mu    sync.Mutex
	lines []string
}

// step returns a task that records its name and returns err.
func (d *journal) step(name string, err error) *plan.Task {
	return plan.Step(plan.Item{Kind: plan.KindResource, Name: name}, func(context.Context) error {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.lines = append(d.lines, name)
		return err
	})
}

// statuses returns the statuses of the items of a plan by name.
func statuses(p *plan.Plan) map[string]plan.Status {
	all := map[string]plan.Status{}
	for _, it := range p.Items() {
		all[it.Name+it.Word()] = it.Status
	}
	return all
}

func TestFailureStopsOnlyLaterTasks(t *testing.T) {
	d, refused := &journal{}, errors.New("refused")
	p := plan.New(&site.Site{}, lithops.Bundle{})
	p.Then(d.step("first", nil))
	p.Then(d.step("bad", refused), d.step("neighbor", nil))
	p.Then(d.step("last", nil))
	p.Concurrently(d.step("concurrent", nil))
	if err := p.Run(t.Context(), nil); !errors.Is(err, refused) {
		t.Errorf("got %v, want the refusal", err)
	}
	want := map[string]plan.Status{"firstthing": plan.Done, "badthing": plan.Failed, "neighborthing": plan.Done, "lastthing": plan.Skipped, "concurrentthing": plan.Done}
	if diff := cmp.Diff(want, statuses(p)); diff != "" {
		t.Errorf("items (-want +got):\n%s", diff)
	}
}

func TestWithoutConsentNothingRuns(t *testing.T) {
	d := &journal{}
	p := plan.New(&site.Site{}, lithops.Bundle{})
	p.Then(d.step("a", nil))
	if err := p.Run(t.Context(), func() (bool, error) { return false, nil }); err != nil || len(d.lines) > 0 {
		t.Errorf("got %v after %v, want nothing done", err, d.lines)
	}
	if got := statuses(p)["athing"]; got != plan.Skipped {
		t.Errorf("got %s, want %s", got, plan.Skipped)
	}
}

func TestInterruptionStartsNoNewTask(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	d := &journal{}
	p := plan.New(&site.Site{}, lithops.Bundle{})
	p.Then(plan.Step(plan.Item{Name: "begun"}, func(ctx context.Context) error {
		cancel()
		return ctx.Err() // a started step is completed
	}))
	p.Then(d.step("next", nil))
	err := p.Run(ctx, nil)
	if !fault.Is(err, fault.Interrupted) || len(d.lines) > 0 {
		t.Errorf("got %v after %v, want an interruption and nothing begun after it", err, d.lines)
	}
	if got := statuses(p); got["begun"] != plan.Done || got["nextthing"] != plan.Skipped {
		t.Errorf("got %v, want what was begun done and the next skipped", got)
	}
}

// newSite returns a site with one image in two memory sizes that share a metadata object, as on Code Engine.
func newSite(t *testing.T) (*site.Site, *runtimetest.Compute, *runtimetest.Store, []site.Wanted) {
	t.Helper()
	contract := lithops.Contract{Backend: lithops.OpenWhisk, Version: "3.7.0", UserKey: "abcde", Namespace: "guest"}
	compute, store := runtimetest.NewCompute(contract), runtimetest.NewStore()
	s := &site.Site{Install: lithops.Install{Version: "3.7.0", Python: "3.11"}, Contract: contract, Compute: compute, Store: store, Cache: lithops.Cache{Dir: t.TempDir()}}
	small, large := s.Want("docker.io/me/img:1", 256, 60, ""), s.Want("docker.io/me/img:1", 512, 60, "")
	large.Key = small.Key
	return s, compute, store, []site.Wanted{small, large}
}

func TestSharedMetadataIsWrittenOnce(t *testing.T) {
	s, compute, store, wants := newSite(t)
	p := plan.New(s, lithops.Bundle{SHA256: "hash"})
	var all []*plan.Deployment
	for _, w := range wants {
		all = append(all, p.NewDeployment(w, plan.Existing{}, false))
	}
	p.Deploy(all...)
	if err := p.Run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	puts := 0
	for _, r := range store.Requests() {
		if strings.HasPrefix(r, "PUT ") {
			puts++
		}
	}
	if len(compute.All()) != 2 || puts != 1 {
		t.Errorf("got %d runtimes and %d writes of metadata, want 2 and 1: %v", len(compute.All()), puts, store.Requests())
	}
}

func TestSharedMetadataIsDeletedWithTheLastRuntime(t *testing.T) {
	s, compute, store, wants := newSite(t)
	var entries []site.Entry
	for _, w := range wants {
		r := entity.Registered{ID: w.ID, Reference: w.Image, MemoryMB: w.MemoryMB, NamedMB: w.MemoryMB, Version: "3.7.0", MetadataKey: w.Key, Own: true}
		compute.Put(r)
		entries = append(entries, site.Entry{Registered: r, Image: w.Image, HasObject: true})
	}
	store.Set(wants[0].Key, []byte("{}"), time.Now())
	for left := len(entries); left > 0; left-- {
		p := plan.New(s, lithops.Bundle{})
		p.Remove(&site.Inventory{Entries: entries[:left]}, entries[left-1:left], i18n.Message{})
		if err := p.Run(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if keys := store.Keys(); (len(keys) == 1) != (left > 1) || len(compute.All()) != left-1 {
			t.Errorf("after %d removals: got objects %v and %d runtimes, want the metadata as long as one runtime is left", len(entries)-left+1, keys, len(compute.All()))
		}
	}
}

// A plan lists all differences with their old and new values.
func TestDifferencesHaveOldAndNewValues(t *testing.T) {
	contract := lithops.Contract{Backend: lithops.OpenWhisk, Version: "3.8.0"}
	s := &site.Site{Compute: runtimetest.NewCompute(contract), Contract: contract}
	p := plan.New(s, lithops.Bundle{SHA256: "new"})
	want := s.Want("me/x:2", 256, 600, "3.11")
	have := entity.Registered{ID: want.ID, Reference: "me/x:1", MemoryMB: 256, TimeoutMS: 300_000, Notes: map[string]any{
		entity.NoteBundle: "old", entity.NoteImage: "me/x:1", entity.NotePython: "3.10",
	}}
	got := p.NewDeployment(want, plan.Existing{Runtime: &have}, false).Runtime.Reason.String()
	if want := "The Lithops code differs. Image: me/x:1 -> me/x:2. Python: 3.10 -> 3.11. Timeout: 300 s -> 600 s."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
