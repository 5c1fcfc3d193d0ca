package lithops

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// runtimes returns name, memory and state of the runtimes in our list.
func runtimes(t *testing.T, s site) string {
	t.Helper()
	var list []struct {
		Image  string `json:"image"`
		Memory int    `json:"memory_mb"`
		State  string `json:"state"`
	}
	out := s.FnRuntime("list", "-b", "local", "--output", "json").Stdout
	if err := json.Unmarshal([]byte(out), &list); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	rows := []string{}
	for _, r := range list {
		rows = append(rows, fmt.Sprint(r.Image, " ", r.Memory, " ", r.State))
	}
	return strings.Join(rows, "\n")
}

// doctor returns the checks that fail.
func doctor(t *testing.T, s site, args ...string) string {
	t.Helper()
	var doc struct {
		Checks []struct{ Name, Status string }
	}
	out := s.Try(time.Minute, s.Bin, append([]string{"doctor", "-b", "local", "--output", "json"}, args...)...)
	if err := json.Unmarshal([]byte(out.Stdout), &doc); err != nil {
		t.Fatalf("%v\n%s%s", err, out.Stdout, out.Stderr)
	}
	failed := []string{}
	for _, c := range doc.Checks {
		if c.Status == "failed" {
			failed = append(failed, c.Name)
		}
	}
	return strings.Join(failed, " ")
}

// TestLithopsCommands checks that Lithops and our program report the same resources, no matter which of them created,
// changed or deleted them.
func TestLithopsCommands(t *testing.T) {
	s := stage(t, "lithops[multiprocessing,joblib]", "")
	const image = "docker.io/lithopscloud/openwhisk-python-v311"
	lithops := func(args ...string) string {
		t.Helper()
		r := s.Run(2*time.Minute, s.program("lithops"), args...)
		return r.Stdout + r.Stderr
	}
	expect := func(ours, theirs string) {
		t.Helper()
		if got := runtimes(t, s); got != ours {
			t.Errorf("our list has %q, want %q", got, ours)
		}
		if m := regexp.MustCompile(`(?m)^(docker\S+) +(\d+) `).FindStringSubmatch(lithops("runtime", "list")); strings.Join(m[min(len(m), 1):], " ") != theirs {
			t.Errorf("Lithops' list has %q, want %q", m, theirs)
		}
	}
	job := func() string {
		t.Helper()
		out := lithops("hello")
		if !strings.Contains(out, "Hello") || strings.Contains(out, "Deploying runtime") {
			t.Errorf("hello says %s", out)
		}
		id := regexp.MustCompile(`ExecutorID (\S+) \| JobID (\S+) - View`).FindStringSubmatch(out)
		if id == nil {
			t.Fatalf("hello names no job: %s", out)
		}
		return id[1] + "-" + id[2]
	}

	expect(image+" 256 ready", image+" 256")
	if id := job(); !strings.Contains(lithops("logs", "get", id), "Going to execute") {
		t.Errorf("there is no log of job %s", id)
	}

	// After Lithops' update no client can use the runtime, because it lacks the time limit.
	lithops("runtime", "update", "default")
	expect(image+" 256 outdated", image+" 256")
	if got := doctor(t, s); got != "runtimes" {
		t.Errorf("after its update doctor fails %q, want runtimes", got)
	}
	if got := doctor(t, s, "--repair"); got != "" {
		t.Errorf("after the repair doctor fails %q", got)
	}
	expect(image+" 256 ready", image+" 256")
	job()

	// A runtime that Lithops deployed is listed and updated by our program.
	lithops("runtime", "delete", "default")
	expect("", "")
	lithops("runtime", "deploy", "default")
	if got := runtimes(t, s); !strings.HasPrefix(got, image+" 256 ") {
		t.Errorf("our list has %q, want what Lithops has deployed", got)
	}
	s.FnRuntime("deploy", "default", "-b", "local", "-q")
	expect(image+" 256 ready", image+" 256")
	job()

	// A runtime that Lithops registers over ours belongs to Lithops, and our program reports it. Our program restores
	// metadata that Lithops deletes from the bucket.
	lithops("runtime", "deploy", "default")
	expect(image+" 256 outdated", image+" 256")
	s.FnRuntime("update", "all", "-b", "local", "-q")
	expect(image+" 256 ready", image+" 256")
	bucket := s.Endpoint().Bucket
	lithops("storage", "delete", bucket, "--prefix", "lithops.runtimes/")
	expect(image+" 256 no_metadata", image+" 256")
	if got := doctor(t, s); got != "caches" {
		t.Errorf("after the metadata is gone doctor fails %q, want caches", got)
	}
	if got := doctor(t, s, "--repair"); got != "" {
		t.Errorf("after the repair doctor fails %q", got)
	}
	s.FnRuntime("update", "all", "-b", "local", "-q")
	expect(image+" 256 ready", image+" 256")
	job()

	// Object storage commands, and commands for virtual machines only.
	file := filepath.Join(s.Dir, "a b.txt")
	if err := os.WriteFile(file, []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	lithops("storage", "put", file, bucket, "--key", "sub dir/a b.txt")
	if out := lithops("storage", "list", bucket); !strings.Contains(out, "sub dir/a b.txt") || !strings.Contains(out, "runtimes/") {
		t.Errorf("storage list says %s", out)
	}
	lithops("storage", "delete", bucket, "sub dir/a b.txt")
	for _, what := range []string{"job", "worker"} {
		if r := s.Try(time.Minute, s.program("lithops"), what, "list"); r.Code == 0 || !strings.Contains(r.Stderr, "only available for standalone backends") {
			t.Errorf("%s list: exit status %d %s", what, r.Code, r.Stderr)
		}
	}

	// Lithops' clean deletes everything, and our program reports that.
	lithops("clean")
	expect("", "")
	if got := doctor(t, s); got != "" {
		t.Errorf("after its clean doctor fails %q", got)
	}
	s.FnRuntime("deploy", "default", "-b", "local", "-q")
	expect(image+" 256 ready", image+" 256")
	job()
}
