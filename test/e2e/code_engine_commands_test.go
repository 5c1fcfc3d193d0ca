package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// openWhiskWords matches OpenWhisk terms that must not appear on Code Engine, which has projects and jobs instead. The
// doctor check "namespace" has the same name everywhere.
var openWhiskWords = regexp.MustCompile(`in namespace|Namespace|[0-9] namespace|\b[Aa]ctions?\b|(?:^|\s)[Pp]ackages?\b`)

// TestCodeEngineCommands runs every command on the endpoint's Code Engine.
func TestCodeEngineCommands(t *testing.T) {
	s := newCloudStage(t, "lithops")
	contains := func(out string, words ...string) {
		t.Helper()
		for _, w := range words {
			if !strings.Contains(out, w) {
				t.Errorf("%q is not in\n%s", w, out)
			}
		}
		if w := openWhiskWords.FindString(out); w != "" {
			t.Errorf("%q is no word of Code Engine's, in\n%s", w, out)
		}
	}
	unchanged := func(mark int) {
		t.Helper()
		if sent := s.changes(mark, ""); len(sent) > 0 {
			t.Errorf("something was changed: %q", sent)
		}
	}
	fails := func(args ...string) string {
		t.Helper()
		r := s.Try(2*time.Minute, s.Bin, append(args, "-b", "code_engine", "--python", s.python)...)
		if r.Code == 0 {
			t.Errorf("%q succeeded:\n%s%s", args, r.Stdout, r.Stderr)
		}
		return r.Stdout + r.Stderr
	}

	file := filepath.Join(s.Dir, "runtimes.yaml")
	write(t, file, "runtimes:\n- image: "+ceImage+"\n  memory: [256, 1024]\n- image: docker.io/lithopscloud/ce-other:01\n  memory: 1024\n  cpu: 0.5\n  timeout: 300\n")
	contains(s.ours("apply", file, "--dry-run"), "Project", "Create")
	unchanged(0)
	contains(s.ours("doctor"), "does not exist yet")
	s.ours("apply", file)
	mark := len(s.Requests())
	s.ours("apply", file)
	unchanged(mark)

	contains(s.ours("list"), ceImage, "1024", "ce-other")
	contains(s.ours("show", "docker.io/lithopscloud/ce-other:01"), "Project ", "Job ", "300 s", "stored", "in sync")
	contains(s.ours("invoke", ceImage, "-n", "1"), "ms")
	contains(s.ours("deploy", ceImage, "-m", "512", "--dry-run"), "512")
	contains(fails("deploy", ceImage, "-m", "300"), "256, 512, 1024")
	contains(fails("deploy", ceImage, "-m", "8192", "--cpu", "0.125"), "0.125")
	unchanged(len(s.Requests()))
	mark = len(s.Requests())
	s.ours("update", "all", "--timeout", "400")
	if sent := s.changes(mark, "/jobs/"); len(sent) != 3 || !strings.HasPrefix(sent[0], "PATCH") {
		t.Errorf("update of three sent %q", sent)
	}
	contains(s.ours("doctor"), "3 jobs", "about 3800 calls")

	// 'run --deploy' deploys the missing runtime.
	mark = len(s.Requests())
	r := s.FnRuntime("run", "-b", "code_engine", "--deploy", "--runtime", ceImage, "-m", "512", "--", s.python, script(t, "one_call.py"))
	contains(r.Stdout, "RESULT 10")
	if sent := s.changes(mark, "/jobs"); len(sent) != 1 || !strings.HasPrefix(sent[0], "POST") {
		t.Errorf("a job with a runtime that was missing sent %q, want it deployed once", sent)
	}

	// The cache file of an older release contains another namespace, which the client would use.
	cache, err := filepath.Glob(filepath.Join(s.Home, ".lithops", "cache", "code_engine", "*_data"))
	if err != nil || len(cache) != 1 {
		t.Fatalf("cache files %q, %v", cache, err)
	}
	was, err := os.ReadFile(cache[0])
	if err != nil {
		t.Fatal(err)
	}
	id := ""
	for line := range strings.SplitSeq(string(was), "\n") {
		if rest, ok := strings.CutPrefix(line, "project_id: "); ok {
			id = rest
		}
	}
	write(t, cache[0], strings.Replace(string(was), "namespace: "+id, "namespace: 4svg40kna19", 1))
	contains(fails("doctor"), "4svg40kna19", "--repair")
	contains(s.ours("doctor", "--repair"), "removed")
	if now, _ := os.ReadFile(cache[0]); string(now) != string(was) {
		t.Errorf("the cache file is\n%swant\n%s", now, was)
	}

	// All memory sizes of an image share one metadata object, which is deleted with the last size.
	contains(s.ours("delete", ceImage, "-m", "256", "-f"), "256")
	contains(s.ours("list", ceImage), "1024", "Ready")
	s.ours("delete", ceImage, "-f")
	if list := s.ours("list"); strings.Contains(list, ceImage) || !strings.Contains(list, "ce-other") {
		t.Errorf("after delete, list shows\n%s", list)
	}

	contains(s.ours("list", "--regions", "us-south,eu-de"), "ce-other")
	contains(s.ours("clean", "--all", "--dry-run"), "seven days")
	s.ours("clean", "--all", "-f")
	if _, err := os.Stat(cache[0]); err == nil {
		t.Error("the client still remembers the project")
	}
	contains(fails("deploy", ceImage), "seven days")
}
