package local

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"fn-runtime/runtime/fault"
)

// CheckSettings lists the requested settings that differ from those of the running endpoint. It ignores settings that
// are not requested.
func TestCheckSettings(t *testing.T) {
	running := Info{Port: 7000, Python: "/usr/bin/python3", Invoker: "process", InvokerRequested: "auto", MemoryMB: 4096,
		Requested: settings{Python: "3.11", IdleTimeout: time.Hour}}
	for name, tc := range map[string]struct {
		requested Options
		want      string // flags, separated by spaces
	}{
		"no settings":                       {Options{}, ""},
		"same settings":                     {Options{Port: 7000, Invoker: "auto", Python: "3.11", MemoryMB: 4096, IdleTimeout: time.Hour}, ""},
		"invoker that auto selected":        {Options{Invoker: "process"}, ""},
		"another invoker":                   {Options{Invoker: "docker"}, "--invoker"},
		"another port and memory":           {Options{Port: 7001, MemoryMB: 1}, "--port --memory"},
		"additional port":                   {Options{S3Port: 9000}, "--s3-port"},
		"missing interpreter":               {Options{Python: "/none"}, "--python"},
		"another timeout and storage limit": {Options{IdleTimeout: time.Minute, MaxStorageMB: 5}, "--max-storage --idle-timeout"},
		"fields that are not settings":      {Options{Dir: "x", Version: "9"}, ""},
	} {
		err := running.CheckSettings(tc.requested)
		got := ""
		if f, ok := err.(*fault.Fault); ok {
			for _, line := range f.Details {
				flag, _, _ := strings.Cut(line, ":")
				got += " " + flag
			}
		}
		if strings.TrimSpace(got) != tc.want {
			t.Errorf("%s: got %q, want %q", name, got, tc.want)
		}
	}
}

// Restart keeps settings that are not specified. Reset removes the directory.
func TestRestartAndReset(t *testing.T) {
	o := options(t)
	first := o
	first.IdleTimeout = time.Hour
	before := mustStart(t, first)
	after, err := Restart(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if after.PID == before.PID || after.Port != before.Port || after.Requested.IdleTimeout != time.Hour || after.APIKey != before.APIKey {
		t.Errorf("after a restart: process %d after %d, port %d after %d, idle %s", after.PID, before.PID, after.Port, before.Port, after.Requested.IdleTimeout)
	}
	if err := Reset(t.Context(), o.Dir); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(o.Dir); !os.IsNotExist(err) {
		t.Errorf("the directory after a reset: %v (%v)", entries, err)
	}
	if err := Reset(t.Context(), t.TempDir()); err != nil {
		t.Errorf("a reset without an endpoint: %v", err)
	}
}

// With Failed, Logs writes only failed requests, warnings and errors, at most the specified number of lines. It writes
// only the name and version of the user agent.
func TestLogsOfFailures(t *testing.T) {
	dir := t.TempDir()
	w, err := openLog(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	log := w.logger()
	log.Warn("early")
	for range 20 {
		log.Info("request", "service", "s3", "method", "GET", "path", "/poll", "status", 200, "duration_ns", 1)
	}
	log.Info("request", "service", "s3", "method", "GET", "path", "/none", "status", 404, "duration_ns", 1, "user_agent", "Boto3/1.44.8 md/Botocore#1.44.8 ua/2.1")
	log.Error("late")
	var out bytes.Buffer
	if err := Logs(t.Context(), dir, LogOptions{Lines: 2, Failed: true}, &out); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 2 || !strings.HasSuffix(lines[0], "s3 GET /none 404 0.0ms Boto3/1.44.8") || !strings.HasSuffix(lines[1], "ERROR late") {
		t.Errorf("got %q", lines)
	}
}
