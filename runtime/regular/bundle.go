package regular

import (
	"os"
	"path/filepath"
)

// maxBundle bounds a bundle in bytes; Mozilla's certificates have 0.2 MB.
const maxBundle = 8 << 20

// ReadBundle reads a file of at most 8 MB, or all files of a folder one after another, as OpenSSL keeps certificates. Those
// in a folder that cannot be read, or that do not fit any more, are passed over.
func ReadBundle(path string) ([]byte, error) {
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		return Read(path, maxBundle)
	}
	entries, err := os.ReadDir(path)
	var all []byte
	for _, e := range entries {
		data, err := Read(filepath.Join(path, e.Name()), maxBundle)
		if err != nil || len(all)+len(data) > maxBundle {
			continue
		}
		all = append(append(all, data...), '\n')
	}
	return all, err
}
