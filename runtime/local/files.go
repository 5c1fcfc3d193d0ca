package local

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
)

// The files in the endpoint's directory.
const (
	infoFile    = "endpoint.json" // Info: credentials, ports and the process, mode 0600
	logFile     = "endpoint.jsonl"
	stderrFile  = "stderr.log" // contains the output of a crash
	startLock   = "start.lock"
	caFile      = "ca.pem"
	caKeyFile   = "ca-key.pem"
	certFile    = "server.pem"
	certKeyFile = "server-key.pem"
	bundleFile  = "ca-bundle.pem"
	// The certificates for IBM's host names are signed by a separate CA, which only clients of Code Engine trust.
	cloudCAFile      = "cloud-ca.pem"
	cloudCAKeyFile   = "cloud-ca-key.pem"
	cloudCertFile    = "cloud-server.pem"
	cloudCertKeyFile = "cloud-server-key.pem"
	cloudBundleFile  = "cloud-bundle.pem"
)

// ensureDir creates a directory with mode 0700, or restricts the mode of an existing directory: its files contain the
// credentials of the endpoint. It returns an error if the directory belongs to another user.
func ensureDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := checkOwner(dir); err != nil {
		return err
	}
	return os.Chmod(dir, 0o700)
}

// writeFile replaces a file atomically and syncs it to disk. Readers see the old or the new content, even after a
// crash.
func writeFile(path string, data []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".tmp-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// removeTempFiles removes temporary files that a killed endpoint left behind. The caller must hold the lock of the
// state.
func removeTempFiles(dir string) {
	leftovers, _ := filepath.Glob(filepath.Join(dir, ".tmp-*"))
	for _, path := range leftovers {
		_ = os.Remove(path)
	}
}

// readInfo reads the Info that the endpoint wrote last. It returns os.ErrNotExist if the endpoint has never been
// started.
func readInfo(dir string) (Info, error) {
	data, err := os.ReadFile(filepath.Join(dir, infoFile))
	if err != nil {
		return Info{}, err
	}
	var i Info
	return i, json.Unmarshal(data, &i)
}

func writeInfo(dir string, i Info) error {
	data, err := json.MarshalIndent(i, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(dir, infoFile), data)
}
