package lithops

import (
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestLithopsExamples runs programs as the documentation of Lithops has them; those of multiprocessing need Redis.
func TestLithopsExamples(t *testing.T) {
	s := stage(t, "lithops[multiprocessing,joblib]", redis(t))
	want := map[string]string{
		"call_async":     "7",
		"map":            "[3, 7] [11] [11, 12, 13]",
		"map_reduce":     "30\n400000",
		"chaining":       "[21, 31, 41]",
		"wait_any":       "1 1 ['quick', 'slow'] True",
		"failures":       "division by zero\n[0.25, 0.2]",
		"retries":        "['a', 'b']",
		"storage":        "['va', 'va', 'va']\n[b'VALUE', b'VALUE', b'VALUE'] 6",
		"cloudobject":    "[3, 6, 9]",
		"cloud_os":       "12 ['a.txt'] True",
		"futures":        "27 [0, 1, 4, 9] [25, 36]",
		"joblib_backend": "[0, 1, 4, 9, 16, 25, 36, 49]",
		"mp_pool":        "[0, 1, 4, 9, 16] 36 [8, 9] [49]",
		"mp_queue":       "[10, 20, 30] end",
		"mp_lock":        "15",
		"mp_manager":     "[(0, 0), (1, 1), (2, 4)] ['0', '1', '2']",
	}
	files, err := filepath.Glob("testdata/examples/*.py")
	if err != nil || len(files) != len(want) {
		t.Fatalf("%d programs, and what %d of them print: %v", len(files), len(want), err)
	}
	t.Run("programs", func(t *testing.T) {
		for _, file := range files {
			path, err := filepath.Abs(file)
			if err != nil {
				t.Fatal(err)
			}
			name := strings.TrimSuffix(filepath.Base(file), ".py")
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				r := s.Try(2*time.Minute, s.program("python"), path)
				if got := lines(r.Stdout); r.Code != 0 || got != want[name] {
					t.Errorf("exit status %d, got\n%s\nwant\n%s\n%s", r.Code, got, want[name], r.Stderr)
				}
			})
		}
	})
}
