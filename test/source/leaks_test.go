package source

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"fn-runtime/test/harness"
)

// starts matches code that starts a goroutine or may leave one running, including HTTP clients and timers with a
// callback.
var starts = regexp.MustCompile(`\bgo (func\b|[a-zA-Z_.]+\()|\.Go\(|errgroup\.|AfterFunc\(|http\.(Client|Server|Transport)\{`)

// coveredByOthers lists packages whose goroutines are checked by tests of other packages.
var coveredByOthers = []string{"runtime/local/cloud", "runtime/local/internal/container", "runtime/local/internal/process",
	"runtime/local/internal/sandbox", "runtime/local/internal/background"}

// TestNoTestLeavesAGoroutine requires every package that starts goroutines to use goleak. Sandboxes are covered by the
// tests of the invoker, background work by those of the APIs, and the test cloud by the tests that use it.
func TestNoTestLeavesAGoroutine(t *testing.T) {
	root := harness.Root(t)
	seen := 0
	for _, top := range []string{"commands", "plugin", "runtime", "i18n"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(dir string, d os.DirEntry, err error) error {
			if err != nil || !d.IsDir() {
				return err
			}
			name, _ := filepath.Rel(root, dir)
			sources, _ := filepath.Glob(filepath.Join(dir, "*.go"))
			starting, guarded := false, false
			for _, file := range sources {
				data, err := os.ReadFile(file)
				if err != nil {
					return err
				}
				if strings.HasSuffix(file, "_test.go") {
					guarded = guarded || strings.Contains(string(data), "goleak.VerifyTestMain(")
				} else {
					starting = starting || starts.Match(data)
				}
			}
			if starting {
				seen++
				if !guarded && !slices.Contains(coveredByOthers, filepath.ToSlash(name)) {
					t.Errorf("%s starts goroutines; its tests need goleak.VerifyTestMain", name)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if seen < 10 {
		t.Errorf("only %d packages that start goroutines were found: the search is wrong", seen)
	}
}
