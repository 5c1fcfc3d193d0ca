package regular

import (
	"os"
	"path/filepath"
)

// maxCABundle is the maximum size of a bundle in bytes. Mozilla's certificates take 0.2 MB.
const maxCABundle = 8 << 20

// ReadCABundle reads a file of at most 8 MB with CA certificates, or all files of a directory in the OpenSSL layout and
// concatenates them. In a directory it skips files that cannot be read or that exceed the total size.
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
