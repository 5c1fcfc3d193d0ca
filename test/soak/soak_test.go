//go:build linux

// Package soak puts load on one local endpoint: commands of the built binary, jobs of the unmodified Lithops client,
// invocations and objects, all concurrently. It monitors the resources of the endpoint's process.
//
// 'make test' runs it for twenty seconds, 'make soak' for ten minutes.
package soak

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"fn-runtime/test/harness"
)

var (
	length = flag.Duration("for", 20*time.Second, "how long to work")
	write  = flag.Bool("write", false, "write the figures to docs/reliability.md")
)

// The allowed differences between the second and the last tenth of the run. In a run of less than a
// minute, noiseMB replaces steadyMB, because the samples include memory that the Go runtime has not returned yet.
const (
	steadyMB   = 16 // in a run of several minutes
	noiseMB    = 64
	steadyFDs  = 24 // the number of connections and pipes varies
	steadyMore = 12 // threads
	workers    = 16 // Python processes: the slots of the pool, and processes that are about to end
)

func TestSoak(t *testing.T) {
	venv := harness.Venv(t, "3.11", "lithops", "boto3")
	python := filepath.Join(venv, "bin", "python")
	s := harness.NewStage(t)
	// The Go runtime reports the live heap on the endpoint's standard error after each garbage collection.
	s.Env = append(s.Env, "VIRTUAL_ENV="+venv, "GODEBUG=gctrace=1", "LITHOPS_CONFIG_FILE="+filepath.Join(s.Home, ".lithops", "config"))
	s.FnRuntime("local", "start", "--python", python, "--memory", "1024") // four workers of 256 MB, so that their number is constant
	e := s.NewClient(t)
	s.Env[1] = "GODEBUG="
	s.Env = append(s.Env, s.Endpoint().Trust()...)
	w := newWork(t, s, e, python)

	ctx, cancel := context.WithTimeout(t.Context(), *length)
	defer cancel()
	watched := make(chan []sample, 1)
	go func() { watched <- watch(ctx, t, e.PID, s.LocalDir()) }()
	w.run(ctx)
	samples := <-watched

	w.settle()
	kept := takeSample(t, e.PID, s.LocalDir())
	w.clear()
	rested := takeSample(t, e.PID, s.LocalDir())
	judge(t, samples, rested)
	s.FnRuntime("local", "stop")
	harness.NoProcesses(t, s.Home)
	leftovers(t, s)
	report(t, w, samples, kept)
}

// judge compares the second tenth of the samples with the last one.
func judge(t *testing.T, samples []sample, rested sample) {
	t.Helper()
	if len(samples) < 10 {
		t.Fatalf("only %d samples", len(samples))
	}
	early, late := tenth(samples, 1), tenth(samples, 9)
	slack := int64(steadyMB)
	if *length < time.Minute {
		slack = noiseMB
	}
	flat := func(what string, of func(sample) int64, more int64) {
		a, b := median(early, of), median(late, of)
		t.Logf("%s: %d in the second tenth, %d in the last", what, a, b)
		if b > a+more {
			t.Errorf("%s grew from %d to %d", what, a, b)
		}
	}
	flat("memory of its own, kB", func(x sample) int64 { return x.anonymousKB }, slack<<10)
	flat("heap alive, kB", func(x sample) int64 { return x.heapKB }, slack<<10)
	flat("descriptors", func(x sample) int64 { return int64(x.descriptors) }, steadyFDs)
	flat("threads", func(x sample) int64 { return int64(x.threads) }, steadyMore)
	for _, x := range append(samples, rested) {
		if x.children > workers {
			t.Errorf("%d child processes after %s", x.children, x.at.Round(time.Second))
			break
		}
	}
	if first := median(early, func(x sample) int64 { return int64(x.descriptors) }); int64(rested.descriptors) > first+steadyFDs {
		t.Errorf("%d descriptors at rest", rested.descriptors)
	}
}

// leftovers searches for temporary files that may exist only while work is in progress.
func leftovers(t *testing.T, s *harness.Stage) {
	t.Helper()
	for _, pattern := range []string{
		filepath.Join(s.LocalDir(), ".tmp-*"), filepath.Join(s.LocalDir(), "objects", "*"), filepath.Join(s.LocalDir(), "invoker", "*"), filepath.Join(s.Home, ".lithops", "cache", "*", "*", "*", ".*"),
	} {
		if left, _ := filepath.Glob(pattern); len(left) > 0 {
			t.Errorf("left: %v", left)
		}
	}
}

func report(t *testing.T, w *work, samples []sample, kept sample) {
	t.Helper()
	early, late := tenth(samples, 1), tenth(samples, 9)
	pair := func(of func(sample) int64, unit string, per int64) string {
		return fmt.Sprintf("%d%s, %d%s", median(early, of)/per, unit, median(late, of)/per, unit)
	}
	done := w.done()
	rows := [][2]string{
		{"Soak: duration", length.String()},
		{"Soak: commands, Lithops jobs, invocations, requests to S3", fmt.Sprintf("%d, %d, %d, %d", done.commands, done.jobs, done.activations, done.objects)},
		{"Soak: acknowledged activations and objects lost", fmt.Sprint(done.lost)},
		{"Soak: memory of the endpoint, second and last tenth", pair(func(x sample) int64 { return x.anonymousKB }, " MB", 1024)},
		{"Soak: live heap after collection, second and last tenth", pair(func(x sample) int64 { return x.heapKB }, " MB", 1024)},
		{"Soak: open descriptors, second and last tenth", pair(func(x sample) int64 { return int64(x.descriptors) }, "", 1)},
		{"Soak: threads, second and last tenth", pair(func(x sample) int64 { return int64(x.threads) }, "", 1)},
		{"Soak: state directory at the end, without logs", fmt.Sprintf("%.1f MB for %d activations and %.1f MB of objects", float64(kept.stateBytes)/1e6, done.activations, float64(done.kept)/1e6)},
	}
	for _, r := range rows {
		t.Logf("%s: %s", r[0], r[1])
		if *write && !t.Failed() {
			harness.Figure(t, r[0], r[1])
		}
	}
}

// put writes a file below the stage's home.
func put(t *testing.T, s *harness.Stage, name, text string) string {
	t.Helper()
	path := filepath.Join(s.Home, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
