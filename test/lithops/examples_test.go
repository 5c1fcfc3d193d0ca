package lithops

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestLithopsExamples runs programs from the documentation of Lithops. Those of multiprocessing need Redis.
func TestLithopsExamples(t *testing.T) {
	stage(t, "lithops[multiprocessing,joblib]", redis(t)).examples(t, func(string) bool { return true })
}

// examples runs the chosen programs concurrently. Each must print the content of the file next to it.
func (s site) examples(t *testing.T, chosen func(name string) bool) {
	t.Helper()
	files, err := filepath.Glob("testdata/examples/*.py")
	if err != nil || len(files) == 0 {
		t.Fatalf("no programs: %v", err)
	}
	t.Run("programs", func(t *testing.T) {
		for _, file := range files {
			path, err := filepath.Abs(file)
			if err != nil {
				t.Fatal(err)
			}
			name := strings.TrimSuffix(filepath.Base(file), ".py")
			if !chosen(name) {
				continue
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				want, err := os.ReadFile(strings.TrimSuffix(path, ".py") + ".out")
				if err != nil {
					t.Fatal(err)
				}
				r := s.Try(5*time.Minute, s.program("python"), path)
				if got := lines(r.Stdout); r.Code != 0 || got != lines(string(want)) {
					t.Errorf("exit status %d, got\n%s\nwant\n%s\n%s", r.Code, got, want, r.Stderr)
				}
			})
		}
	})
}
