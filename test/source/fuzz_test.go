package source

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"fn-runtime/test/harness"
)

// Every directory of recorded inputs belongs to a fuzz target: go test ignores the inputs of a target that was renamed.
func TestRecordedInputsHaveATarget(t *testing.T) {
	root := harness.Root(t)
	checked := make(map[string]bool)
	for _, name := range tracked(t, root) {
		pkg, input, ok := strings.Cut(name, "/testdata/fuzz/")
		target := filepath.Dir(input)
		if !ok || checked[pkg+target] {
			continue
		}
		checked[pkg+target] = true
		if !hasTarget(t, filepath.Join(root, pkg), target) {
			t.Errorf("%s has recorded inputs for %s, but no such fuzz target", pkg, target)
		}
	}
	if len(checked) == 0 {
		t.Error("no recorded inputs were found")
	}
}

// Every row of the table in docs/reliability.md names an existing fuzz target and its package.
func TestReliabilityNamesExistingFuzzTargets(t *testing.T) {
	root := harness.Root(t)
	page, err := os.ReadFile(filepath.Join(root, "docs", "reliability.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile("(?m)^\\| `([a-z0-9/]+)` (Fuzz\\w+) \\|").FindAllStringSubmatch(string(page), -1)
	if len(rows) == 0 {
		t.Fatal("docs/reliability.md lists no fuzz targets")
	}
	for _, row := range rows {
		if !hasTarget(t, filepath.Join(root, row[1]), row[2]) {
			t.Errorf("docs/reliability.md names %s in %s, which does not exist", row[2], row[1])
		}
	}
}

// hasTarget reports whether a test file of a directory declares a fuzz target.
func hasTarget(t *testing.T, dir, target string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(data), "\nfunc "+target+"(f *testing.F)") {
			return true
		}
	}
	return false
}
