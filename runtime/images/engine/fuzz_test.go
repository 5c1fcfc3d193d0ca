package engine

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"

	"fn-runtime/runtime/fault"
)

// FuzzContext reads any config.json of the Docker CLI and any description of a context: there is a place to look, or
// words for why not, and a name leads nowhere outside of the folder.
func FuzzContext(f *testing.F) {
	f.Add("remote", []byte(`{"currentContext":"remote"}`), []byte(`{"Name":"remote","Endpoints":{"docker":{"Host":"tcp://127.0.0.1:1"}}}`))
	f.Add("../../x", []byte(`{"currentContext":"../../x"}`), []byte(`{"Endpoints":null}`))
	f.Add("a", []byte(`{"currentContext":1}`), []byte(`{"Endpoints":{"docker":[]}}`))
	f.Add("", []byte(`null`), []byte(`[[[[`))
	dir := f.TempDir()
	o := Options{Home: dir, Getenv: func(name string) string { return map[string]string{"DOCKER_CONFIG": dir}[name] }}
	f.Fuzz(func(t *testing.T, name string, config, meta []byte) {
		sum := sha256.Sum256([]byte(name))
		folder := filepath.Join(dir, "contexts", "meta", hex.EncodeToString(sum[:]))
		for path, data := range map[string][]byte{filepath.Join(dir, "config.json"): config, filepath.Join(folder, "meta.json"): meta} {
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		defer os.RemoveAll(folder)
		places, err := candidates(o)
		if err == nil && len(places) == 0 || err != nil && fault.KindOf(err) == "" {
			t.Errorf("%v, %v", places, err)
		}
		for _, p := range places {
			if p.host == "" {
				t.Errorf("a place without an address: %+v", p)
			}
		}
	})
}
