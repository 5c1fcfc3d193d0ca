package docs

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"fn-runtime/test/harness"
)

// testedElsewhere lists pages whose blocks other tests run because they need more than a home directory.
var testedElsewhere = map[string]string{
	"docs/automation.md": "test/scripts runs its script against three endpoints",
}

func TestCommandBlocks(t *testing.T) {
	venv := harness.Venv(t, "3.11", "lithops", "boto3")
	for _, page := range pages(t) {
		if _, ok := testedElsewhere[page]; ok || strings.HasPrefix(page, "docs/reference/") {
			continue
		}
		text := read(t, page)
		all := blocks(t, page, text)
		var runnable int
		for _, b := range all {
			switch b.lang {
			case "bash", "python":
				runnable++
			case "text", "console", "yaml", "json", "dockerfile", "go":
			default:
				t.Errorf("%s:%d: blocks are bash, python, text, console, yaml, json or go, not %q", page, b.line, b.lang)
			}
		}
		if runnable == 0 {
			continue
		}
		t.Run(page, func(t *testing.T) {
			s := newSession(t, venv, strings.Contains(text, "<!-- home: configured -->"))
			outputs := map[int]string{} // by the index of the output block
			for i, b := range all {
				if b.lang != "bash" && b.lang != "python" {
					continue
				}
				out := s.run(page, b)
				if i+1 < len(all) && all[i+1].lang == "text" && adjacent(text, b, all[i+1]) {
					outputs[i+1] = out
				}
			}
			if update() {
				rewrite(t, page, text, all, outputs)
				return
			}
			for i, out := range outputs {
				if got, want := normalize(out), normalize(all[i].text()); got != want {
					t.Errorf("%s:%d: the output has become (UPDATE=1 writes it):\n%s\nwhat is shown:\n%s", page, all[i].line, out, all[i].text())
				}
			}
		})
	}
}

// adjacent reports whether there are only blank lines between two blocks.
func adjacent(text string, a, b block) bool {
	return strings.TrimSpace(strings.Join(strings.Split(text, "\n")[a.end:b.line-1], "")) == ""
}

// rewrite replaces the outputs in a page.
func rewrite(t *testing.T, page, text string, all []block, outputs map[int]string) {
	t.Helper()
	lines := strings.Split(text, "\n")
	for i, a := range slices.Backward(all) {
		out, ok := outputs[i]
		if !ok || normalize(out) == normalize(a.text()) {
			continue
		}
		fresh := strings.Split(strings.TrimRight(out, "\n"), "\n")
		lines = append(lines[:a.line:a.line], append(fresh, lines[a.end-1:]...)...)
	}
	if err := os.WriteFile(filepath.Join(harness.Root(t), page), []byte(strings.Join(lines, "\n")), 0o644); err != nil {
		t.Fatal(err)
	}
}

// changing lists patterns that differ between runs or machines, with their replacements.
var changing = []struct {
	re *regexp.Regexp
	by string
}{
	{regexp.MustCompile(`(?m)^ +[\d.]+[ A-Za-z]*(/[\d.]+[ A-Za-z]*(\(.*/s\))?|\(.*/s\))$\n?`), ""}, // progress on a slow machine
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT?[ \d:.Z+-]*`), "TIME "},
	{regexp.MustCompile(`(127\.0\.0\.1|localhost|\[::1\]):\d+`), "HOST:PORT"},
	{regexp.MustCompile(`lithops_[0-9a-z]{4,5}\b`), "lithops_KEY"},
	{regexp.MustCompile(`\b(sha256:)?[0-9a-f]{12,}\b`), "HASH"},
	{regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}(:\S+)?`), "GUID"},
	{regexp.MustCompile(`\d+\.\d+\.\d+`), "VERSION"},
	{regexp.MustCompile(`\b\d+(\.\d+)? ?(ms|s|m|h)\b`), "DURATION"},
	{regexp.MustCompile(`python-v3\d+|(demo-|\b)3\.\d+\b`), "PYTHON"},
	{regexp.MustCompile(`Modules +\d+: .*`), "MODULES"},
	{regexp.MustCompile(`(?m)(PID|"pid":|Process)\s+\d+`), "$1 N"},
	{regexp.MustCompile(`\b\d+(\.\d+)? (B|kB|KB|MB|GB|bytes)\b`), "SIZE"},
	{regexp.MustCompile(`linux/\w+|darwin/\w+`), "PLATFORM"},
	{regexp.MustCompile(`go\d+\.\d+`), "GO"},
	{regexp.MustCompile(`[ \t]+`), " "},
	{regexp.MustCompile(`(?m) +$`), ""},
}

// normalize replaces the changing parts of the output of a run, so that two runs can be compared.
func normalize(s string) string {
	for _, c := range changing {
		s = c.re.ReplaceAllString(s, c.by)
	}
	return strings.TrimSpace(s)
}

// session is one shell in a separate home directory. Its `ibmcloud` runs the built plug-in as the host does.
type session struct {
	t     *testing.T
	stage *harness.Stage
	in    *os.File
	out   *bufio.Reader
	n     int
}

// host replaces the IBM Cloud CLI: it finds the namespace, and passes the remaining arguments to the plug-in.
const host = `#!/bin/sh
case "$1" in
fn-runtime | fnr) shift ;;
*) echo "FAILED: there is no IBM Cloud here; mark the block as console." >&2; exit 1 ;;
esac
namespace=fn-runtime
if [ "$1" = local ] && [ $# -gt 1 ]; then namespace="fn-runtime local"; shift; fi
IBMCLOUD_PLUGIN_NAMESPACE=$namespace exec fn-runtime "$@"
`

// shell sources the files that are named on descriptor 3 in one process, so that a cd or an export persists.
const shell = `set -eo pipefail
while IFS= read -r file <&3; do . "$file"; printf '\n%s\n' "$file"; done`

func newSession(t *testing.T, venv string, configured bool) *session {
	t.Helper()
	stage := harness.NewStage(t)
	bin := filepath.Join(stage.Home, "bin")
	put(t, filepath.Join(bin, "ibmcloud"), host)
	link(t, stage.Bin, filepath.Join(bin, "fn-runtime"))
	link(t, venv, filepath.Join(stage.Home, "venv"))
	stage.Env = []string{
		"VIRTUAL_ENV=" + filepath.Join(stage.Home, "venv"), "LC_ALL=C.UTF-8",
		"PATH=" + bin + ":" + filepath.Join(stage.Home, "venv", "bin") + ":" + os.Getenv("PATH"),
	}
	if configured {
		config := stage.FnRuntime("lithops-config", "-b", "local", "--show-secrets", "-q").Stdout
		put(t, filepath.Join(stage.Home, ".lithops", "config"), config)
		stage.Env = append(stage.Env, stage.Endpoint().Trust()...)
	}
	in, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("bash", "-c", shell)
	cmd.Dir = stage.Dir
	cmd.Env = append([]string{"HOME=" + stage.Home, "IBMCLOUD_HOME=" + stage.Home, "TMPDIR=" + filepath.Join(stage.Home, "tmp"), "USER=me"}, stage.Env...)
	cmd.ExtraFiles = []*os.File{in}
	out, both, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = both, both
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_, _ = in.Close(), both.Close()
	timer := time.AfterFunc(5*time.Minute, func() { _ = cmd.Process.Kill() })
	t.Cleanup(func() {
		_ = write.Close()
		timer.Stop()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = out.Close()
	})
	return &session{t: t, stage: stage, in: write, out: bufio.NewReader(out)}
}

// run runs a block and returns its output, with the home directory as ~. If a block fails, the rest of the page is not
// run.
func (s *session) run(page string, b block) string {
	s.t.Helper()
	s.n++
	script := b.text()
	file := filepath.Join(s.stage.Home, "tmp", fmt.Sprintf("block-%d", s.n))
	if b.lang == "python" {
		put(s.t, file+".py", script)
		script = "python '" + file + ".py'\n"
	}
	put(s.t, file, script)
	if _, err := fmt.Fprintln(s.in, file); err != nil {
		s.t.Fatalf("%s:%d: %v", page, b.line, err)
	}
	var out bytes.Buffer
	for {
		line, err := s.out.ReadString('\n')
		if strings.TrimSpace(line) == file {
			break
		}
		out.WriteString(line)
		if err != nil {
			s.t.Fatalf("%s:%d: the block failed:\n%s\n%s", page, b.line, b.text(), out.String())
		}
	}
	return strings.TrimSpace(strings.ReplaceAll(out.String(), s.stage.Home, "~")) + "\n"
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, to, path string) {
	t.Helper()
	if err := os.Symlink(to, path); err != nil {
		t.Fatal(err)
	}
}
