package docs

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
)

// The table of states contains the words that the list shows, and every state in the JSON.
func TestStatesAreThoseOfTheList(t *testing.T) {
	source := read(t, "commands/view/runtimes.go")
	var schema struct {
		Defs struct {
			Runtime struct {
				Properties struct {
					State struct{ Enum []string }
				}
			}
		} `json:"$defs"`
	}
	if err := json.Unmarshal([]byte(read(t, "docs/schema/common.json")), &schema); err != nil {
		t.Fatal(err)
	}
	states := schema.Defs.Runtime.Properties.State.Enum
	rows := regexp.MustCompile("(?m)^\\| ([A-Z][A-Za-z ]+) \\(`([a-z_]+)`\\) \\|").FindAllStringSubmatch(read(t, "docs/commands.md"), -1)
	listed := ""
	for _, m := range rows {
		listed += m[2] + " "
		if !strings.Contains(source, `return i18n.M("`+m[1]+`")`) {
			t.Errorf("list does not say %q", m[1])
		}
	}
	for _, state := range states {
		if !strings.Contains(listed, state+" ") {
			t.Errorf("docs/commands.md lacks the state %s", state)
		}
	}
	if len(rows) != len(states) || len(rows) == 0 {
		t.Errorf("%d states are described, %d are in the schema", len(rows), len(states))
	}
}
