package commands

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"time"

	"fn-runtime/runtime/atomicfile"
	"fn-runtime/runtime/regular"
)

// Limits of the completion cache.
const (
	maxCachedTargets = 20
	maxCachedNames   = 500 // for each target
	maxCacheBytes    = 1 << 20
)

// cachedNames holds the names of one target. Completion uses them if the service does not respond in time.
type cachedNames struct {
	Names []string  `json:"names"`
	At    time.Time `json:"at"`
}

// nameCacheFile returns the path of the completion cache. The file maps targets to cachedNames. It returns "" if the
// plug-in has no state directory.
func (f *Factory) nameCacheFile() string {
	if f.Host.StateDir == "" {
		return ""
	}
	return filepath.Join(f.Host.StateDir, "completion.json")
}

// Kinds of cached names.
const (
	cachedRuntimes   = "runtimes"
	cachedNamespaces = "namespaces"
)

// cacheNames stores the names of a kind for a target. It ignores errors, because completion works without the cache and
// only offers fewer candidates.
func (f *Factory) cacheNames(kind string, t *targetFlags, names []string) {
	path := f.nameCacheFile()
	if path == "" {
		return
	}
	all := readNameCache(path)
	all[t.cacheKey(kind)] = cachedNames{Names: names[:min(len(names), maxCachedNames)], At: time.Now().UTC()}
	for len(all) > maxCachedTargets {
		oldest := ""
		for key, s := range all {
			if oldest == "" || s.At.Before(all[oldest].At) {
				oldest = key
			}
		}
		delete(all, oldest)
	}
	data, err := json.Marshal(all)
	if err == nil && os.MkdirAll(filepath.Dir(path), 0o700) == nil {
		_ = atomicfile.Write(path, data)
	}
}

func (f *Factory) loadNames(kind string, t *targetFlags) []string {
	return readNameCache(f.nameCacheFile())[t.cacheKey(kind)].Names
}

func readNameCache(path string) map[string]cachedNames {
	all := make(map[string]cachedNames)
	data, err := regular.Read(path, maxCacheBytes)
	if err == nil && (json.Unmarshal(data, &all) != nil || all == nil) { // JSON null sets the map to nil
		return make(map[string]cachedNames)
	}
	return all
}

// cacheKey returns the key of a target, which consists of the flags that select the target. The namespaces of a target
// are stored under one key, which does not contain the --namespace flag.
func (t *targetFlags) cacheKey(kind string) string {
	namespace := t.namespace
	if kind == cachedNamespaces {
		namespace = ""
	}
	return strings.Join([]string{kind, t.backend, t.config, t.region, namespace, t.userKey}, "|")
}
