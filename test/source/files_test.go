package source

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"fn-runtime/test/harness"
)

// longest is the number of lines that a file may have without a reason for being longer.
const longest = 350

// A longer file gives the reason in its first lines: "One file, because ...".
func TestFilesAreShort(t *testing.T) {
	root := harness.Root(t)
	seen := 0
	for _, name := range tracked(t, root) {
		switch filepath.Ext(name) {
		case ".go", ".py", ".sh":
		default:
			continue
		}
		data, err := os.ReadFile(filepath.Join(root, name))
		if os.IsNotExist(err) {
			continue // deleted, not committed yet
		}
		if err != nil {
			t.Fatal(err)
		}
		seen++
		lines := strings.Split(string(data), "\n")
		if len(lines) > longest && !strings.Contains(strings.Join(lines[:30], "\n"), "One file, because") {
			t.Errorf("%s has %d lines without a reason", name, len(lines))
		}
	}
	if seen < 300 {
		t.Fatalf("only %d files were seen", seen)
	}
}

// The files and directories that ARCHITECTURE.md names exist.
func TestArchitectureNamesExistingFiles(t *testing.T) {
	root := harness.Root(t)
	page, err := os.ReadFile(filepath.Join(root, "ARCHITECTURE.md"))
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`((?:plugin|commands|runtime|i18n|test|bin|main\\.go)[a-z0-9_/.]*)`")
	for _, m := range named.FindAllStringSubmatch(string(page), -1) {
		path := m[1]
		if i := strings.LastIndex(path, "."); i > 0 && !strings.HasSuffix(path, ".go") {
			continue // an identifier: plugin.Main
		}
		if _, err := os.Stat(filepath.Join(root, path)); err != nil {
			t.Errorf("ARCHITECTURE.md names %s, which does not exist", path)
		}
	}
}

// tracked returns the files that Git tracks.
func tracked(t *testing.T, root string) []string {
	t.Helper()
	cmd := exec.Command("git", "ls-files")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(out))
}
