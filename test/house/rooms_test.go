package house

import (
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"fn-runtime/test/harness"
)

// longest is how many lines a file may have that gives no reason.
const longest = 350

// A longer file says in its first lines why it is one: "One file, because ...".
func TestFilesAreShort(t *testing.T) {
	root := harness.Root(t)
	seen := 0
	for _, name := range tracked(t, root) {
		switch filepath.Ext(name) {
		case ".go", ".py", ".sh":
		default:
			continue
		}
		data, err := os.ReadFile(filepath.Join(root, name))
		if os.IsNotExist(err) {
			continue // deleted, not committed yet
		}
		if err != nil {
			t.Fatal(err)
		}
		seen++
		lines := strings.Split(string(data), "\n")
		if len(lines) > longest && !strings.Contains(strings.Join(lines[:30], "\n"), "One file, because") {
			t.Errorf("%s has %d lines and gives no reason", name, len(lines))
		}
	}
	if seen < 300 {
		t.Fatalf("only %d files were seen", seen)
	}
}

// Every room says in its doc comment what may go in and what may not.
func TestRoomsSayWhatTheyHold(t *testing.T) {
	root := harness.Root(t)
	for _, room := range rooms {
		dir := filepath.Join(root, filepath.FromSlash(strings.TrimPrefix(strings.TrimPrefix(room.path, "fn-runtime"), "/")))
		if dir == root {
			continue // main.go
		}
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		var doc string
		for _, name := range files {
			f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments|parser.PackageClauseOnly)
			if err != nil {
				t.Fatal(err)
			}
			doc += f.Doc.Text()
		}
		doc = strings.Join(strings.Fields(doc), " ")
		for _, want := range []string{"What may go in", "What may not"} {
			if !strings.Contains(doc, want) {
				t.Errorf("the doc comment of %s does not say: %s", room.path, want)
			}
		}
	}
}

// tracked lists the files of the tree that belong to the project.
func tracked(t *testing.T, root string) []string {
	t.Helper()
	cmd := exec.Command("git", "ls-files")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(out))
}
