package images

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"time"

	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/regular"
	"fn-runtime/runtime/text"
)

// checkCacheAge is the maximum age of a cached check.
const checkCacheAge = 30 * 24 * time.Hour

// checkCache stores which images have passed a check, so that a build without changes starts no container. The ID of an
// image is derived from its content, so an image with the same ID would pass again. Each entry is a file named after
// the ID and the expectations.
type checkCache struct{ dir string } // "" disables the cache

// pythonVersion matches the content of a cache entry.
var pythonVersion = text.NewPattern(`^\d+\.\d+$`)

func (c checkCache) path(id string, spec entity.ImageBuild) string {
	method := probe
	if t := spec.Trial; t != nil {
		method = t.Lithops + "\n" + strings.Join(t.Command, "\n")
	}
	sum := sha256.Sum256([]byte(id + "\n" + spec.Python + "\n" + strings.Join(spec.Modules, "\n") + "\n" + method))
	return filepath.Join(c.dir, hex.EncodeToString(sum[:]))
}

// get returns the Python version of an image that has passed.
func (c checkCache) get(id string, spec entity.ImageBuild) (python string, ok bool) {
	if c.dir == "" {
		return "", false
	}
	data, err := regular.Read(c.path(id, spec), 100)
	return string(data), err == nil && pythonVersion.Match(data)
}

// put stores that an image has passed, and deletes old entries. If an entry cannot be written, the image is checked
// again.
func (c checkCache) put(id string, spec entity.ImageBuild, python string) {
	if c.dir == "" || os.MkdirAll(c.dir, 0o700) != nil {
		return
	}
	entries, _ := os.ReadDir(c.dir)
	for _, e := range entries {
		if info, err := e.Info(); err == nil && time.Since(info.ModTime()) > checkCacheAge {
			_ = os.Remove(filepath.Join(c.dir, e.Name()))
		}
	}
	_ = os.WriteFile(c.path(id, spec), []byte(python), 0o600)
}
