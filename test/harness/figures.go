package harness

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gofrs/flock"
)

// The table of figures in docs/reliability.md is between these two lines.
const (
	figuresBegin = "<!-- figures: written by the tests -->"
	figuresEnd   = "<!-- end of figures -->"
)

// Figure writes one row of the table at the end of docs/reliability.md. It replaces the row with the same name.
func Figure(t testing.TB, name, value string) {
	t.Helper()
	if err := WriteFigure(Root(t), name, value); err != nil {
		t.Fatal(err)
	}
}

// WriteFigure is like Figure, for callers without a testing.TB. root is the root directory of the project.
func WriteFigure(root, name, value string) error {
	file := filepath.Join(root, "docs", "reliability.md")
	lock := flock.New(filepath.Join(os.TempDir(), "fn-runtime-figures.lock"))
	if err := lock.Lock(); err != nil {
		return err
	}
	defer lock.Unlock() // closing the file releases it
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	head, rest, ok := strings.Cut(string(data), figuresBegin+"\n")
	table, tail, ok2 := strings.Cut(rest, figuresEnd)
	if !ok || !ok2 {
		return fmt.Errorf("%s has no table of figures", file)
	}
	row, found := "| "+name+" | "+value+" |", false
	lines := strings.Split(strings.Trim(table, "\n"), "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, "| "+name+" |") {
			lines[i], found = row, true
		}
	}
	if !found {
		lines = append(lines, row)
	}
	text := head + figuresBegin + "\n" + strings.Join(lines, "\n") + "\n" + figuresEnd + tail
	next := file + ".new" // replaced atomically: another process may be reading or committing it
	if err := os.WriteFile(next, []byte(text), 0o644); err != nil {
		return err
	}
	return os.Rename(next, file)
}
