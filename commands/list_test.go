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

// list --watch prints the list again only if it has changed. Canceling the context ends it without an error.
func TestListWatch(t *testing.T) {
	got := watchOutput(t, func(*testing.T, *harness) {})
	if !strings.HasPrefix(got, "No runtimes found.\n\nName ") || strings.Count(got, "docker.io/me/x:1") != 1 || strings.Count(got, "No runtimes") != 1 {
		t.Errorf("got %q, want the empty list once, then the list with the runtime once", got)
	}
}

// With a filter, list --watch writes only the output of the filter for each changed list, without separators.
func TestListWatchWithFilter(t *testing.T) {
	got := watchOutput(t, func(t *testing.T, h *harness) {
		h.View.JSON, h.View.OutTTY = true, true
		if err := h.View.SetQuery(t.Context(), `length, .[].name`); err != nil {
			t.Fatal(err)
		}
	})
	if want := "0\n1\ndocker.io/me/x:1\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// watchOutput returns what list --watch writes while a runtime is deployed.
func watchOutput(t *testing.T, set func(*testing.T, *harness)) (out string) {
	synctest.Test(t, func(t *testing.T) {
		contract := lithops.Contract{Backend: lithops.OpenWhisk, Version: "3.8.0", Namespace: "guest", UserKey: "abcde"}
		compute := runtimetest.NewCompute(contract)
		h := newHarness()
		set(t, h)
		h.Service = func(context.Context, connect.Options) (*runtime.Service, error) {
			return &runtime.Service{Site: site.Site{Contract: contract, Compute: compute, Store: runtimetest.NewStore(), Target: runtime.Target{Namespace: "guest"}}}, nil
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- watchList(ctx, h.Factory, &listOptions{sortBy: "name"}) }()
		time.Sleep(10 * watchInterval)
		id, _ := contract.Runtime("docker.io/me/x:1", 256)
		if _, err := compute.Register(ctx, entity.Registered{ID: id, Reference: "docker.io/me/x:1", MemoryMB: 256}, lithops.Bundle{}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * watchInterval)
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("watchList: %v", err)
		}
		out = h.out.String()
	})
	return out
}
