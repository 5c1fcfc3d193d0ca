package lithops

import (
	"errors"
	"os"
	"path/filepath"
)

// TempDir returns the directory in which a client of this version stores the files of its jobs: "lithops-$USER" in the
// temporary directory of Python's tempfile, or "lithops" before 2.8.0 (constants.py: LITHOPS_TEMP_DIR).
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

// tempNames are the entries of TempDir in which the client stores job data, in any release (constants.py). The
// directory of the cleaner is not included: it contains requests of running programs, and the clean command of the
// client keeps it too. Other entries are not included either: the buckets of the Lithops storage backend "localhost"
// are user data.
var tempNames = []string{"jobs", "logs", "modules", "custom-runtime", "cache", "localhost-runner.log", "localhost-service.log", "functions.log"}

// TempFiles returns the files and non-empty directories that a client left in the directory of TempDir. It does not
// follow a link in place of the directory, because other users may be able to write to the parent directory.
func TempFiles(dir string) []string {
	info, err := os.Lstat(dir)
	if err != nil || !info.IsDir() {
		return nil
	}
	var files []string
	for _, name := range tempNames {
		path := filepath.Join(dir, name)
		info, err := os.Lstat(path)
		if err != nil {
			continue
		}
		if info.IsDir() {
			if left, err := os.ReadDir(path); err == nil && len(left) == 0 {
				continue
			}
		}
		files = append(files, path)
	}
	return files
}

// RemoveTemp removes the files that TempFiles returned. It empties directories but keeps them, because a running client
// would not re-create them.
func RemoveTemp(paths []string) error {
	var failed []error
	for _, path := range paths {
		info, err := os.Lstat(path)
		if err != nil {
			continue // already removed
		}
		err = os.RemoveAll(path)
		if err == nil && info.IsDir() {
			err = os.Mkdir(path, info.Mode().Perm())
		}
		if err != nil {
			failed = append(failed, Cache{}.failed(path, err))
		}
	}
	return errors.Join(failed...)
}
