package docs

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"fn-runtime/test/harness"
)

// demoMark stands before the block in the README that shows `make demo`.
const demoMark = "<!-- the transcript of make demo; make docs writes it -->"

// The README shows what the demo really says.
func TestTheDemosTranscript(t *testing.T) {
	root := harness.Root(t)
	harness.Binary(t)
	cmd := exec.Command(filepath.Join(root, "bin", "demo"))
	cmd.Env = append(os.Environ(), "NO_COLOR=1", "LC_ALL=C.UTF-8")
	data, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	out := strings.ReplaceAll(string(data), harness.CacheDir(t), "~/fn-runtime/.cache")
	out = strings.TrimSpace(strings.ReplaceAll(out, root, "~/fn-runtime"))
	if i := strings.Index(out, "1. Deploy"); i > 0 {
		out = out[i:] // the first time it installs Lithops
	}
	text := read(t, "README.md")
	all := blocks(t, "README.md", text)
	for i, b := range all {
		if !strings.Contains(strings.Join(strings.Split(text, "\n")[max(0, b.line-3):b.line-1], "\n"), demoMark) {
			continue
		}
		if update() {
			rewrite(t, "README.md", text, all, map[int]string{i: out})
		} else if normal(out) != normal(b.text()) {
			t.Errorf("the demo says (UPDATE=1 writes it):\n%s\nthe README:\n%s", out, b.text())
		}
		return
	}
	t.Errorf("README.md has no block behind %s", demoMark)
}
