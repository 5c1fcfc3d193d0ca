package dashboard

import (
	"bufio"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"fn-runtime/test/harness"
	"fn-runtime/test/schema"
)

// mapOf200 maps 200 calls. One fails after printing the reason. The last ones wait for a file whose name is passed to
// the job, so that the test sees other calls run.
const mapOf200 = `
import os, sys, time, lithops

SEEN = sys.argv[1]

def weigh(n):
    if n == 66:
        print("call 66 has no weight")
        raise ValueError("nothing to weigh in 66")
    while n >= 197 and not os.path.exists(SEEN):
        time.sleep(0.05)
    return n

if __name__ == "__main__":
    f = lithops.FunctionExecutor()
    f.map(weigh, range(200))
    f.wait(throw_except=False)
`

// The page follows a real map while it runs, and shows why a call failed.
func TestRealMap(t *testing.T) {
	venv := harness.Venv(t, "3.11", "lithops", "boto3")
	python := filepath.Join(venv, "bin", "python")
	s := harness.NewStage(t)
	s.Env = append(s.Env, "VIRTUAL_ENV="+venv)
	script := filepath.Join(s.Dir, "job.py")
	if err := os.WriteFile(script, []byte(mapOf200), 0o600); err != nil {
		t.Fatal(err)
	}
	s.FnRuntime("local", "start", "--python", python)
	s.FnRuntime("deploy", "default", "-b", "local")

	address := dashboardOf(t, s)
	b := newBrowser(t, 1280, 900)
	b.do(chromedp.Navigate(address))
	b.waitUntil("document.querySelector('#jobs .empty')?.innerText.startsWith('No jobs')")
	b.waitUntil("document.querySelector('#runtimes .badge.ready')")

	seen := filepath.Join(s.Dir, "seen")
	job := s.Command(s.Bin, "run", "-b", "local", "--", python, script, seen)
	var out strings.Builder
	job.Stdout, job.Stderr = &out, &out
	if err := job.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- job.Wait() }()
	const done = "Number(document.querySelector('.tile.done dd')?.innerText)"
	b.waitUntil("document.querySelector('.tile.calls dd')?.innerText === '200' && Number(document.querySelector('.tile.running dd')?.innerText) > 0")
	b.waitUntil("document.querySelector('#workers dd')?.innerText > 0")
	b.waitUntil(done + " > 0 && document.querySelector('#lanes path.done')")
	if err := os.WriteFile(seen, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	b.waitUntil(done + " === 199 && document.querySelector('.tile.failed dd').innerText === '1'")
	if err := <-ended; err != nil {
		t.Fatalf("the job: %v\n%s", err, out.String())
	}
	b.waitUntil("!document.querySelector('.tile.running')")

	b.waitUntil("document.querySelector('#rows tr:first-child.failed')?.innerText.includes('nothing to weigh in 66')")
	b.clickUntil("#rows tr:first-child button", "document.querySelector('dialog[open] pre.error')?.innerText.includes('nothing to weigh in 66')")
	b.waitUntil("document.querySelector('dialog[open] pre.log')?.innerText.includes('call 66 has no weight')")

	b.waitUntil("document.getElementById('save-svg')")
	id := value[string](b, "document.querySelector('#lanes .chunk').dataset.job")
	(&schema.Check{}).Valid(t, "dashboard", s.FnRuntime("dashboard", id, "-b", "local", "--save", "timeline.svg", "--output", "json").Stdout)
	picture, err := os.ReadFile(filepath.Join(s.Dir, "timeline.svg"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{id, "weigh", `class="cross"`, `class="throughput"`} {
		if !strings.Contains(string(picture), want) {
			t.Errorf("the picture has no %s", want)
		}
	}
	if strings.Contains(string(picture), "href") {
		t.Error("the picture needs something else")
	}
	if os.Getenv("UPDATE") == "1" {
		record(t, string(picture))
	}
}

// dashboardOf serves the page on a stage and returns its address. Ctrl-C must end it without an error.
func dashboardOf(t *testing.T, s *harness.Stage) string {
	t.Helper()
	cmd := s.Command(s.Bin, "dashboard", "-b", "local", "--no-open")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var errs strings.Builder
	cmd.Stderr = &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		if err := cmd.Wait(); err != nil {
			t.Errorf("after Ctrl-C: %v\n%s", err, errs.String())
		}
	})
	address := regexp.MustCompile(`http://127\.0\.0\.1:\d+/\?token=\w+`)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if a := address.FindString(lines.Text()); a != "" {
			return a
		}
	}
	t.Fatalf("the command names no address: %s", errs.String())
	return ""
}
