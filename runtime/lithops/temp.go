package lithops

import (
	"errors"
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

// tempNames are what the client keeps of its jobs in TempDir, in any release (constants.py). The cleaner's folder is not
// among them: it holds requests of programs that still run, as the client's own clean leaves it. Neither is what else is
// there: the buckets of Lithops' storage "localhost" are the user's data.
var tempNames = []string{"jobs", "logs", "modules", "custom-runtime", "cache", "localhost-runner.log", "localhost-service.log", "functions.log"}

// TempFiles returns what a client has left of its jobs in the folder of TempDir, empty folders left out. A link in the
// folder's place is not followed: others may write to the folder above.
func TempFiles(dir string) []string {
	info, err := os.Lstat(dir)
	if err != nil || !info.IsDir() {
		return nil
	}
	var found []string
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
		found = append(found, path)
	}
	return found
}

// RemoveTemp removes what TempFiles returned. A folder stays and loses what is in it: a client that runs would not make
// it again.
func RemoveTemp(paths []string) error {
	var failed []error
	for _, path := range paths {
		info, err := os.Lstat(path)
		if err != nil {
			continue // gone meanwhile
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
