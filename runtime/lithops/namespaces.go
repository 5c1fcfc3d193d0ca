package lithops

import (
	"path/filepath"
	"slices"
	"strings"
)

// namespaceSuffix ends the name of a namespace's file in the cache, after the name of the namespace.
const namespaceSuffix = "_data"

// Namespaces returns the names of the namespaces that the client's cache knows, sorted.
func (c Cache) Namespaces(backend Backend) []string {
	found, _ := filepath.Glob(filepath.Join(c.Dir, string(backend), "*"+namespaceSuffix))
	names := make([]string, 0, len(found))
	for _, path := range found {
		names = append(names, strings.TrimSuffix(filepath.Base(path), namespaceSuffix))
	}
	slices.Sort(names)
	return names
}
