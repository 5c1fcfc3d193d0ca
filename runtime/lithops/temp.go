package lithops

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// TempDir is where a client of this version keeps the files of its jobs: "lithops-$USER" in the temporary folder that
// Python's tempfile finds, "lithops" before 2.8.0 (constants.py: LITHOPS_TEMP_DIR).
func TempDir(version string, getenv func(string) string) string {
	name := "lithops"
	if !parseRelease(version).before(2, 8, 0) {
		user := getenv("USER")
		if user == "" {
			user = "root"
		}
		name += "-" + filepath.Base(user)
	}
	for _, dir := range []string{getenv("TMPDIR"), getenv("TEMP"), getenv("TMP"), "/tmp", "/var/tmp", "/usr/tmp"} {
		if info, err := os.Stat(dir); dir != "" && err == nil && info.IsDir() {
			return filepath.Join(dir, name)
		}
	}
	return filepath.Join(os.TempDir(), name)
}

// RemoveTemp removes the folder of TempDir. A link in its place is left alone: others may write to the folder above.
func RemoveTemp(dir string) error {
	info, err := os.Lstat(dir)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() {
		return nil
	}
	if err == nil {
		err = os.RemoveAll(dir)
	}
	return Cache{}.failed(dir, err)
}
