package commands

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fn-runtime/runtime"
	"fn-runtime/runtime/connect"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/runtimetest"
	"fn-runtime/runtime/site"
)

// The list is shown again when it has changed, and only then; an interruption ends it as it ends a look.
func TestAListIsWatched(t *testing.T) {
	got := watched(t, func(*testing.T, *bench) {})
	if !strings.HasPrefix(got, "No runtimes found.\n\nName ") || strings.Count(got, "docker.io/me/x:1") != 1 || strings.Count(got, "No runtimes") != 1 {
		t.Errorf("got %q, want the empty list once and then the other one once", got)
	}
}

// A filter gets each list that is another one, and nothing stands between what it makes of them.
func TestAListIsWatchedThroughAFilter(t *testing.T) {
	got := watched(t, func(t *testing.T, b *bench) {
		b.View.JSON, b.View.OutTTY = true, true
		if err := b.View.SetQuery(t.Context(), `length, .[].name`); err != nil {
			t.Fatal(err)
		}
	})
	if want := "0\n1\ndocker.io/me/x:1\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// watched is what list --watch writes while a runtime is deployed.
func watched(t *testing.T, set func(*testing.T, *bench)) (out string) {
	synctest.Test(t, func(t *testing.T) {
		contract := lithops.Contract{Backend: lithops.OpenWhisk, Version: "3.8.0", Namespace: "guest", UserKey: "abcde"}
		compute := runtimetest.NewCompute(contract)
		b := newBench()
		set(t, b)
		b.Service = func(context.Context, connect.Options) (*runtime.Service, error) {
			return &runtime.Service{Site: site.Site{Contract: contract, Compute: compute, Store: runtimetest.NewStore(), Target: runtime.Target{Namespace: "guest"}}}, nil
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- watchList(ctx, b.Factory, &listOptions{by: "name"}) }()
		time.Sleep(10 * watchEvery)
		id, _ := contract.Runtime("docker.io/me/x:1", 256)
		if _, err := compute.Register(ctx, entity.Registered{ID: id, Reference: "docker.io/me/x:1", MemoryMB: 256}, lithops.Bundle{}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * watchEvery)
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the end: %v", err)
		}
		out = b.out.String()
	})
	return out
}
