package host

import (
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	sdk "github.com/IBM-Cloud/ibm-cloud-cli-sdk/plugin"

	"fn-runtime/test/harness"
)

// add adds new entries to the record. Removed entries stay in the record and fail the test.
var add = flag.Bool("add", false, "add new commands, flags and keys to testdata/surface.txt")

// surface compares the interface that scripts rely on - commands, aliases, flags and their letters, keys of JSON - with
// the record of published versions. Within a major version, entries may be added but not removed.
func surface(t *testing.T, m sdk.PluginMetadata) {
	have := map[string]bool{"name " + m.Name: true}
	for _, alias := range m.Aliases {
		have["alias "+alias] = true
	}
	for _, cmd := range m.Commands {
		if cmd.Hidden {
			continue
		}
		for _, name := range cmd.NameAndAliases() {
			full := cmd.Namespace + " " + name
			have["command "+full] = true
			for _, f := range cmd.Flags {
				for one := range strings.SplitSeq(f.Name, ",") {
					line := "flag " + full + " " + strings.Repeat("-", min(2, len(one))) + one
					if f.HasValue {
						line += " VALUE"
					}
					have[line] = true
				}
			}
		}
	}
	schemas, err := filepath.Glob(filepath.Join(harness.Root(t), "docs", "schema", "*.json"))
	if err != nil || len(schemas) < 10 {
		t.Fatal(schemas, err)
	}
	for _, file := range schemas {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var schema any
		if err := json.Unmarshal(data, &schema); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		keys(schema, "json "+strings.TrimSuffix(filepath.Base(file), ".json"), have)
	}
	record := filepath.Join("testdata", "surface.txt")
	data, err := os.ReadFile(record)
	if err != nil {
		t.Fatal(err)
	}
	published := map[string]bool{}
	for line := range strings.Lines(string(data)) {
		published[strings.TrimSpace(line)] = true
	}
	if *add {
		maps.Copy(published, have)
		text := strings.Join(slices.Sorted(maps.Keys(published)), "\n") + "\n"
		if err := os.WriteFile(record, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for line := range published {
		if !have[line] {
			t.Errorf("removed, but scripts rely on it: %s", line)
		}
	}
	for line := range have {
		if !published[line] {
			t.Errorf("new: 'go test ./test/host -run TestConventions -add' records %q", line)
		}
	}
}

// keys adds the properties that a schema describes, below path.
func keys(schema any, path string, have map[string]bool) {
	switch s := schema.(type) {
	case []any:
		for _, one := range s {
			keys(one, path, have)
		}
	case map[string]any:
		for word, value := range s {
			if properties, ok := value.(map[string]any); ok && word == "properties" {
				for name, property := range properties {
					have[path+"."+name] = true
					keys(property, path+"."+name, have)
				}
				continue
			}
			keys(value, path, have)
		}
	}
}
