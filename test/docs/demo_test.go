package docs

import (
	"html"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/creack/pty"

	"fn-runtime/test/harness"
)

// demoMark precedes the block in the README that shows `make demo`.
const demoMark = "<!-- the transcript of make demo; make docs writes it -->"

// recording is the picture of the same session, drawn by bin/record.
const recording = "docs/session.svg"

// The README and the recorded session show the demo's actual output in a terminal of 80 columns.
func TestDemoTranscript(t *testing.T) {
	raw := demo(t)
	out := onScreen(t, raw)
	for i, line := range strings.Split(out, "\n") {
		if n := len([]rune(line)); n > 80 && !strings.Contains(line, "~/fn-runtime/") {
			t.Errorf("line %d has %d columns: %s", i+1, n, line)
		}
	}
	compareRecording(t, raw, out)
	text := read(t, "README.md")
	all := blocks(t, "README.md", text)
	for i, b := range all {
		if !strings.Contains(strings.Join(strings.Split(text, "\n")[max(0, b.line-3):b.line-1], "\n"), demoMark) {
			continue
		}
		if withoutLineBreaks(out) == withoutLineBreaks(b.text()) {
			return
		}
		if update() {
			rewrite(t, "README.md", text, all, map[int]string{i: out})
		} else {
			t.Errorf("the demo prints (UPDATE=1 writes it):\n%s\nthe README:\n%s", out, b.text())
		}
		return
	}
	t.Errorf("README.md has no block behind %s", demoMark)
}

// demo runs bin/demo in a pseudo-terminal and returns its output.
func demo(t *testing.T) string {
	t.Helper()
	harness.Binary(t)
	cmd := exec.Command(filepath.Join(harness.Root(t), "bin", "demo"))
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "NO_COLOR=") }),
		"LC_ALL=C.UTF-8", "TERM=xterm-256color", "IBMCLOUD_COLOR=")
	file, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 50, Cols: 80})
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	data, _ := io.ReadAll(file) // returns EIO when the demo has ended
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	return string(data)
}

var painted = regexp.MustCompile(`\x1b\[[0-9;]*m`)

// onScreen returns the final screen: without colors, replaced live lines, and paths of this machine.
func onScreen(t *testing.T, raw string) string {
	lines := strings.Split(strings.ReplaceAll(raw, "\r\n", "\n"), "\n")
	for i, line := range lines {
		lines[i] = line[strings.LastIndex(line, "\r\x1b[K")+1:]
	}
	out := painted.ReplaceAllString(strings.ReplaceAll(strings.Join(lines, "\n"), "\x1b[K", ""), "")
	out = strings.ReplaceAll(out, harness.CacheDir(t), "~/fn-runtime/.cache")
	out = strings.TrimSpace(strings.ReplaceAll(out, harness.Root(t), "~/fn-runtime"))
	if i := strings.Index(out, "1. Run"); i > 0 {
		out = out[i:] // the first run installs Lithops
	}
	return times.ReplaceAllString(out, "$1$3")
}

// times matches the durations of steps. The pages omit them, as bin/record does.
var times = regexp.MustCompile(`(?m)^-- \d+ ms\n|(\.\.\.) \(\d+(\.\d+)? s\)$|(-> \d+) +\d+\.\d+ s$`)

// duration matches the duration that is printed after a slow step.
var duration = regexp.MustCompile(`\.\.\. \(DURATION\)`)

// withoutLineBreaks is like normalize, but also removes line breaks, which depend on the length of the machine's paths.
func withoutLineBreaks(s string) string {
	return duration.ReplaceAllString(normalize(strings.Join(strings.Fields(s), " ")), "...")
}

var row = regexp.MustCompile(`clip-path="url\(#demo-line-(\d+)\)">([^<]*)</text>`)

// compareRecording compares the recorded session with the demo's output. With UPDATE=1 it draws the session again.
func compareRecording(t *testing.T, raw, out string) {
	t.Helper()
	var shown strings.Builder
	picture, err := os.ReadFile(filepath.Join(harness.Root(t), recording))
	if err != nil && !update() {
		t.Fatal(err)
	}
	for i, m := range row.FindAllStringSubmatch(string(picture), -1) {
		if i > 0 {
			shown.WriteByte('\n')
		}
		shown.WriteString(strings.ReplaceAll(html.UnescapeString(m[2]), "\u00a0", " "))
	}
	strip := func(s string) string { return strings.ReplaceAll(withoutLineBreaks(s), " ", "") } // words and colors share a row
	switch {
	case strip(shown.String()) == strip(out):
	case update():
		transcript := filepath.Join(t.TempDir(), "transcript")
		put(t, transcript, raw)
		cmd := exec.Command(filepath.Join(harness.Root(t), "bin", "record"), recording, transcript)
		if data, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, data)
		}
	default:
		t.Errorf("%s is stale (make docs redraws it). It shows:\n%s\nthe demo says:\n%s", recording, shown.String(), out)
	}
}
