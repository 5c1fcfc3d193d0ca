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

// checkedFor is how long the passing of a check is remembered.
const checkedFor = 30 * 24 * time.Hour

// checked remembers which images passed a check, so that a build that changes nothing does not start a container. An
// image's id is made from its content: the same id passes again. One file each, named after id and expectations.
type checked struct{ dir string } // "" remembers nothing

// pythonVersion is what such a file holds.
var pythonVersion = text.NewPattern(`^\d+\.\d+$`)

func (c checked) path(id string, spec entity.ImageBuild) string {
	how := probe
	if t := spec.Trial; t != nil {
		how = t.Lithops + "\n" + strings.Join(t.Command, "\n")
	}
	sum := sha256.Sum256([]byte(id + "\n" + spec.Python + "\n" + strings.Join(spec.Modules, "\n") + "\n" + how))
	return filepath.Join(c.dir, hex.EncodeToString(sum[:]))
}

// passed returns the Python of an image that has passed.
func (c checked) passed(id string, spec entity.ImageBuild) (python string, ok bool) {
	if c.dir == "" {
		return "", false
	}
	data, err := regular.Read(c.path(id, spec), 100)
	return string(data), err == nil && pythonVersion.Match(data)
}

// remember notes that an image has passed, and forgets old ones. What cannot be written is checked again.
func (c checked) remember(id string, spec entity.ImageBuild, python string) {
	if c.dir == "" || os.MkdirAll(c.dir, 0o700) != nil {
		return
	}
	entries, _ := os.ReadDir(c.dir)
	for _, e := range entries {
		if info, err := e.Info(); err == nil && time.Since(info.ModTime()) > checkedFor {
			_ = os.Remove(filepath.Join(c.dir, e.Name()))
		}
	}
	_ = os.WriteFile(c.path(id, spec), []byte(python), 0o600)
}
