package lithops

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestLithopsExamples runs programs as the documentation of Lithops has them; those of multiprocessing need Redis.
func TestLithopsExamples(t *testing.T) {
	stage(t, "lithops[multiprocessing,joblib]", redis(t)).examples(t, func(string) bool { return true })
}

// examples runs the programs that are chosen by name side by side: each prints what the file beside it says.
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
