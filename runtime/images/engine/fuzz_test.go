package engine

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"

	"fn-runtime/runtime/fault"
)

// FuzzContext reads any config.json of the Docker CLI and any context metadata. The result is a candidate or a fault.
// The name of a context cannot refer to a path outside of the directory.
func FuzzContext(f *testing.F) {
	f.Add("remote", []byte(`{"currentContext":"remote"}`), []byte(`{"Name":"remote","Endpoints":{"docker":{"Host":"tcp://127.0.0.1:1"}}}`))
	f.Add("../../x", []byte(`{"currentContext":"../../x"}`), []byte(`{"Endpoints":null}`))
	f.Add("a", []byte(`{"currentContext":1}`), []byte(`{"Endpoints":{"docker":[]}}`))
	f.Add("", []byte(`null`), []byte(`[[[[`))
	dir := f.TempDir()
	o := Options{Home: dir, Getenv: func(name string) string { return map[string]string{"DOCKER_CONFIG": dir}[name] }}
	f.Fuzz(func(t *testing.T, name string, config, meta []byte) {
		sum := sha256.Sum256([]byte(name))
		metaDir := filepath.Join(dir, "contexts", "meta", hex.EncodeToString(sum[:]))
		for path, data := range map[string][]byte{filepath.Join(dir, "config.json"): config, filepath.Join(metaDir, "meta.json"): meta} {
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		defer os.RemoveAll(metaDir)
		found, err := candidates(o)
		if err == nil && len(found) == 0 || err != nil && fault.KindOf(err) == "" {
			t.Errorf("%v, %v", found, err)
		}
		for _, c := range found {
			if c.host == "" {
				t.Errorf("a candidate without a host: %+v", c)
			}
		}
	})
}
