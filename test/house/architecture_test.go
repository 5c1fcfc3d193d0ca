package house

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"fn-runtime/test/harness"
)

// The picture of the arrows in ARCHITECTURE.md is that of rooms: every room is in it, and each row is lower than the one
// above. Files that the text names are there.
func TestArchitectureShowsTheHouse(t *testing.T) {
	root := harness.Root(t)
	data, err := os.ReadFile(filepath.Join(root, "ARCHITECTURE.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(data), "## The arrows")
	picture := strings.SplitN(rest, "```", 3)
	if !ok || len(picture) < 3 {
		t.Fatal("ARCHITECTURE.md has no picture of the arrows")
	}
	drawn := map[string]bool{}
	above := 1000
	for _, row := range strings.Split(picture[1], "\n") {
		lowest := above
		for _, word := range strings.Fields(row) {
			path := "fn-runtime/" + word
			if word == "main.go" {
				path = "fn-runtime"
			}
			for _, room := range rooms {
				if room.path != path {
					continue
				}
				drawn[path] = true
				if room.height >= above {
					t.Errorf("%s (%d) is drawn too low: what is above has %d", word, room.height, above)
				}
				lowest = min(lowest, room.height)
			}
		}
		above = lowest
	}
	for _, room := range rooms {
		if !drawn[room.path] {
			t.Errorf("%s is not drawn in ARCHITECTURE.md", strings.TrimPrefix(room.path, "fn-runtime/"))
		}
	}
	named := regexp.MustCompile("`((?:plugin|commands|runtime|i18n|test|bin|main\\.go)[a-z0-9_/.]*)`")
	for _, m := range named.FindAllStringSubmatch(string(data), -1) {
		path := m[1]
		if i := strings.LastIndex(path, "."); i > 0 && !strings.HasSuffix(path, ".go") {
			continue // an identifier: plugin.Main
		}
		if _, err := os.Stat(filepath.Join(root, path)); err != nil {
			t.Errorf("ARCHITECTURE.md names %s, which is not there", path)
		}
	}
}
