package local

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
)

// The files of the endpoint's folder.
const (
	infoFile    = "endpoint.json" // Info: credentials, ports and the process, mode 0600
	logFile     = "endpoint.jsonl"
	stderrFile  = "stderr.log" // what a crash says
	startLock   = "start.lock"
	caFile      = "ca.pem"
	caKeyFile   = "ca-key.pem"
	certFile    = "server.pem"
	certKeyFile = "server-key.pem"
	bundleFile  = "ca-bundle.pem"
	// The names of IBM's hosts have an authority of their own, which only clients of Code Engine trust.
	cloudCAFile      = "cloud-ca.pem"
	cloudCAKeyFile   = "cloud-ca-key.pem"
	cloudCertFile    = "cloud-server.pem"
	cloudCertKeyFile = "cloud-server-key.pem"
	cloudBundleFile  = "cloud-bundle.pem"
)

// makeDir makes the folder, or tightens the one that is there: what is in it opens the endpoint.
func makeDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := ownedByUs(dir); err != nil {
		return err
	}
	return os.Chmod(dir, 0o700)
}

// writeFile replaces a file at once and on disk: readers see the old or the new one, also after a crash.
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

// sweepFiles removes what a killed endpoint left of files that it was writing. Only who holds the state may call it.
func sweepFiles(dir string) {
	left, _ := filepath.Glob(filepath.Join(dir, ".tmp-*"))
	for _, path := range left {
		_ = os.Remove(path)
	}
}

// readInfo returns what the last start wrote; os.ErrNotExist before the first one.
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
