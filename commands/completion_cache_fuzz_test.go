package commands

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// FuzzCompletionCache loads an arbitrary cache file, then stores names in it.
func FuzzCompletionCache(f *testing.F) {
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
		factory.loadNames(cachedRuntimes, target)
		factory.cacheNames(cachedRuntimes, target, []string{"one", "two"})
		if got := factory.loadNames(cachedRuntimes, target); !slices.Equal(got, []string{"one", "two"}) {
			t.Errorf("%q after %q", got, data)
		}
	})
}
