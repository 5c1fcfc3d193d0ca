package commands

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// FuzzSeen reads any file of what completion remembers, then notes something more in it.
func FuzzSeen(f *testing.F) {
	f.Add([]byte(`{"runtimes|||||":{"names":["a"],"at":"2026-01-02T03:04:05Z"}}`))
	f.Add([]byte(`null`))
	f.Add([]byte(`{"a":null,"b":{"names":null,"at":1}}`))
	f.Add([]byte(`[]`))
	f.Add([]byte(`{"a":{"at":"9999-12-31T23:59:60Z"}}`))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		var factory Factory
		factory.Host.StateDir = dir
		if err := os.WriteFile(filepath.Join(dir, "completion.json"), data, 0o600); err != nil {
			t.Fatal(err)
		}
		target := &targetFlags{}
		factory.recall(seenRuntimes, target)
		factory.remember(seenRuntimes, target, []string{"one", "two"})
		if got := factory.recall(seenRuntimes, target); !slices.Equal(got, []string{"one", "two"}) {
			t.Errorf("%q after %q", got, data)
		}
	})
}
