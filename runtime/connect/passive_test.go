package connect

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fn-runtime/runtime/fault"
)

// With Passive, Open does not start the local endpoint. Otherwise it starts the configured executable.
func TestPassiveDoesNotStartTheEndpoint(t *testing.T) {
	for _, passive := range []bool{true, false} {
		o := newOptions(t, "3.7.0", "")
		o.Backend, o.Passive = "local", passive
		o.Host.StateDir = t.TempDir()
		called := filepath.Join(o.Host.StateDir, "called")
		o.Host.Executable = filepath.Join(o.Host.StateDir, "program")
		if err := os.WriteFile(o.Host.Executable, []byte("#!/bin/sh\n: > '"+called+"'\nexit 1\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		_, err := Open(ctx, o)
		cancel()
		if !fault.Is(err, fault.Unavailable) {
			t.Errorf("passive %v: %v", passive, err)
		}
		if _, err := os.Stat(called); (err == nil) == passive {
			t.Errorf("passive %v: the program was called: %v", passive, err == nil)
		}
	}
}

// A configuration for the embedded endpoint is detected even if the endpoint is stopped. The remedy is to start it.
func TestConfiguredEndpointIsStopped(t *testing.T) {
	o := newOptions(t, "3.7.0", plainOpenWhisk("https://127.0.0.1:7443"))
	dir := filepath.Join(o.Host.StateDir, "local")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	info := `{"pid":0,"endpoint":"https://127.0.0.1:7443","port":7443,"s3_endpoint":"http://127.0.0.1:7444","namespace":"guest"}`
	if err := os.WriteFile(filepath.Join(dir, "endpoint.json"), []byte(info), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(context.Background(), o); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "local endpoint is not running") {
		t.Errorf("got %v, want %s: the local endpoint is not running", err, fault.Unavailable)
	}
	o.Backend = "openwhisk"
	info = strings.ReplaceAll(info, "7443", "7999")
	if err := os.WriteFile(filepath.Join(dir, "endpoint.json"), []byte(info), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(context.Background(), o); err != nil {
		t.Errorf("another server on this machine: %v", err)
	}
}
