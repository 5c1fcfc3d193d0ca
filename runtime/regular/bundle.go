package regular

import (
	"os"
	"path/filepath"
)

// maxCABundle bounds a bundle in bytes; Mozilla's certificates have 0.2 MB.
const maxCABundle = 8 << 20

// ReadCABundle reads a file of at most 8 MB, or all files of a folder one after another, as OpenSSL keeps certificates. Those
// in a folder that cannot be read, or that do not fit any more, are passed over.
func ReadCABundle(path string) ([]byte, error) {
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		return Read(path, maxCABundle)
	}
	entries, err := os.ReadDir(path)
	var all []byte
	for _, e := range entries {
		data, err := Read(filepath.Join(path, e.Name()), maxCABundle)
		if err != nil || len(all)+len(data) > maxCABundle {
			continue
		}
		all = append(append(all, data...), '\n')
	}
	return all, err
}
