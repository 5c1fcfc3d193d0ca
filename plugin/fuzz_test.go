package plugin

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"fn-runtime/runtime/fault"
)

// FuzzHost reads an arbitrary config.json of the CLI. readHost returns a host or an error with a kind, and does not
// change the file.
func FuzzHost(f *testing.F) {
	for _, s := range []string{
		`{"IAMToken":"Bearer a.e30.c","IAMRefreshToken":"r","Region":"eu-de","Account":{"GUID":"g"},"ResourceGroup":{"GUID":"x"},"HTTPTimeout":17}`,
		`{"IAMToken":"Bearer a.eyJleHAiOjFlOTl9.c"}`, `{"IAMToken":1}`, `{"Account":[]}`, `{"HTTPTimeout":-1e300}`, `null`, `[]`, `{}`,
		`{"Locale":"../../x","Trace":"/dev/null","ColorEnabled":"maybe","CLIVersion":"99"}`, `{"PluginRepos":{}}`, `{"Profile":null,"CRIType":"VPC"}`,
	} {
		f.Add([]byte(s))
	}
	home := f.TempDir()
	f.Setenv("IBMCLOUD_CONFIG_HOME", home)
	f.Setenv("IBMCLOUD_TRACE", "false")
	file := filepath.Join(home, "config.json")
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		h, err := readHost(true)
		if err != nil && fault.KindOf(err) == "" || h == nil {
			t.Errorf("%v, %v", h, err)
		}
		if after, err := os.ReadFile(file); err != nil || !bytes.Equal(after, data) {
			t.Errorf("%q became %.60q: %v", data, after, err)
		}
		var groups groupList
		if json.Unmarshal(data, &groups) == nil {
			groups.id("Default")
		}
	})
}
