package commands

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fn-runtime/runtime"
	"fn-runtime/runtime/subprocess"
)

// Only this user can read the configuration of a job while the program runs. The configuration is removed however the
// program ends, even if the command is interrupted.
func TestJobConfigIsPrivateAndRemoved(t *testing.T) {
	for name, tc := range map[string]struct {
		ends string
		want int
	}{
		"success":                      {"exit 0", 0},
		"failure":                      {"exit 3", 3},
		"killed":                       {"kill -KILL $$", 137},
		"the command gets SIGTERM":     {"trap 'exit 9' TERM; kill -TERM $PPID; while :; do sleep 0.02; done", 9},
		"the command gets SIGTERM x 3": {"kill -TERM $PPID; kill -TERM $PPID; kill -TERM $PPID; while :; do sleep 0.02; done", 143},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			t.Setenv("TMPDIR", dir)
			output := filepath.Join(t.TempDir(), "output")
			script := `{ ls -ld "$(dirname "$LITHOPS_CONFIG_FILE")"; ls -l "$LITHOPS_CONFIG_FILE"; cat "$LITHOPS_CONFIG_FILE"; } > "$1"; ` + tc.ends
			err := runWithConfig(t.Context(), []byte("lithops: {}\n"), subprocess.Command{Path: "/bin/sh", Args: []string{"-c", script, "sh", output}, Env: os.Environ()})
			got := exitError{}
			if errors.As(err, &got); got.status != tc.want || err != nil && got.status == 0 {
				t.Errorf("status %d (%v), want %d", got.status, err, tc.want)
			}
			text, err := os.ReadFile(output)
			if s := string(text); err != nil || !strings.HasPrefix(s, "drwx------") || !strings.Contains(s, "\n-rw-------") || !strings.HasSuffix(s, "lithops: {}\n") {
				t.Errorf("got %s (%v), want private files and the configuration", text, err)
			}
			left, err := os.ReadDir(dir)
			if err != nil || len(left) > 0 {
				t.Errorf("files remain: %v (%v)", left, err)
			}
		})
	}
}

func TestClientEnvironment(t *testing.T) {
	env := []string{"PATH=/bin", "LITHOPS_CONFIG={}", "IBMCLOUD_PLUGIN_NAMESPACE=fn-runtime", "REQUESTS_CA_BUNDLE=/trap.pem", "no_proxy=intern"}
	got := clientEnvironment(env, runtime.Target{CABundle: "/ca.pem"})
	want := []string{"PATH=/bin", "REQUESTS_CA_BUNDLE=/ca.pem", "AWS_CA_BUNDLE=/ca.pem", "NO_PROXY=intern,127.0.0.1,localhost"}
	if !slices.Equal(got, want) {
		t.Errorf("for the local endpoint: %q, want %q", got, want)
	}
	got = clientEnvironment(env, runtime.Target{})
	if want := []string{"PATH=/bin", "REQUESTS_CA_BUNDLE=/trap.pem", "no_proxy=intern"}; !slices.Equal(got, want) {
		t.Errorf("for another service: %q, want %q", got, want)
	}
}

func TestInterpreter(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	writeProgram := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
	python := writeProgram("python3", "")
	for program, want := range map[string]string{
		python: python,
		writeProgram("pytest", "#!"+python+" -I\n"):   python,
		writeProgram("job", "#!/usr/bin/env python3"): python,
		writeProgram("script", "#!/bin/sh\n"):         "",
		writeProgram("binary", "\x7fELF"):             "",
		filepath.Join(dir, "none"):                    "",
	} {
		if got := interpreter(program); got != want {
			t.Errorf("%s: %q, want %q", program, got, want)
		}
	}
}
