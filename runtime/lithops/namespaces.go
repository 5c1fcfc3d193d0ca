package lithops

import (
	"path/filepath"
	"slices"
	"strings"
)

// namespaceSuffix is the suffix that follows the namespace in the name of its cache file.
const namespaceSuffix = "_data"

// Namespaces returns the names of the namespaces in the client's cache, sorted.
func (c Cache) Namespaces(backend Backend) []string {
	paths, _ := filepath.Glob(filepath.Join(c.Dir, string(backend), "*"+namespaceSuffix))
	names := make([]string, 0, len(paths))
	for _, path := range paths {
		names = append(names, strings.TrimSuffix(filepath.Base(path), namespaceSuffix))
	}
	slices.Sort(names)
	return names
}
