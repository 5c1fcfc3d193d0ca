package commands

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"time"

	"fn-runtime/runtime/atomicfile"
	"fn-runtime/runtime/regular"
)

// The bounds of what completion remembers.
const (
	seenTargets = 20
	seenNames   = 500
	seenBytes   = 1 << 20
)

// seen is what completion knows of a target that does not answer at once.
type seen struct {
	Names []string  `json:"names"`
	At    time.Time `json:"at"`
}

// seenFile holds a seen for each target, by its flags.
func (f *Factory) seenFile() string {
	if f.Host.StateDir == "" {
		return ""
	}
	return filepath.Join(f.Host.StateDir, "completion.json")
}

// The kinds of names that are remembered.
const (
	seenRuntimes   = "runtimes"
	seenNamespaces = "namespaces"
)

// remember notes names of a kind on a target. A note that cannot be written only costs completion its candidates.
func (f *Factory) remember(kind string, t *targetFlags, names []string) {
	path := f.seenFile()
	if path == "" {
		return
	}
	all := readSeen(path)
	all[t.seenKey(kind)] = seen{Names: names[:min(len(names), seenNames)], At: time.Now().UTC()}
	for len(all) > seenTargets {
		oldest := ""
		for key, s := range all {
			if oldest == "" || s.At.Before(all[oldest].At) {
				oldest = key
			}
		}
		delete(all, oldest)
	}
	data, err := json.Marshal(all)
	if err == nil && os.MkdirAll(filepath.Dir(path), 0o700) == nil {
		_ = atomicfile.Write(path, data)
	}
}

func (f *Factory) recall(kind string, t *targetFlags) []string {
	return readSeen(f.seenFile())[t.seenKey(kind)].Names
}

func readSeen(path string) map[string]seen {
	all := make(map[string]seen)
	data, err := regular.Read(path, seenBytes)
	if err == nil && (json.Unmarshal(data, &all) != nil || all == nil) { // null makes it nil
		return make(map[string]seen)
	}
	return all
}

// seenKey tells targets apart by what the user said of them; all namespaces of a target belong together.
func (t *targetFlags) seenKey(kind string) string {
	namespace := t.namespace
	if kind == seenNamespaces {
		namespace = ""
	}
	return strings.Join([]string{kind, t.backend, t.config, t.region, namespace, t.userKey}, "|")
}
