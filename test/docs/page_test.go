// Package docs tests the documentation. Every command block of README.md and docs/ runs, in order, in a new home
// directory per page, and prints the output that the page shows. Links are valid, generated pages are current, and the
// source contains the messages, variables and tests that the pages mention.
//
// The conventions of a page:
//
//	```bash     runs, and must succeed. The blocks of a page run in one shell, one after the other.
//	```python   runs in the Python that has Lithops, and must succeed.
//	```text     directly after one of these is its output; UPDATE=1 (make docs) rewrites it.
//	```console  is only shown: it needs a person, an account or the network.
//
// A page that contains <!-- home: configured --> has a Lithops configuration for the local endpoint in its home.
package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"fn-runtime/test/harness"
)

// block is one fenced block of a page.
type block struct {
	lang  string
	lines []string
	line  int // of the opening fence, 1-based
	end   int // of the closing fence
}

func (b block) text() string { return strings.Join(b.lines, "\n") + "\n" }

var fence = regexp.MustCompile("^( *)```([a-z]*)$")

// blocks returns the fenced blocks of a page. Blocks inside lists are indented.
func blocks(t *testing.T, name, text string) (all []block) {
	t.Helper()
	var open *block
	indent := ""
	for i, line := range strings.Split(text, "\n") {
		m := fence.FindStringSubmatch(line)
		switch {
		case open == nil && m != nil:
			indent = m[1]
			open = &block{lang: m[2], line: i + 1}
		case open != nil && m != nil && m[2] == "":
			open.end = i + 1
			all = append(all, *open)
			open = nil
		case open != nil:
			open.lines = append(open.lines, strings.TrimPrefix(line, indent))
		}
	}
	if open != nil {
		t.Errorf("%s:%d: the block is not closed", name, open.line)
	}
	return all
}

// pages returns the Markdown files for readers: the README, the other files in the root directory, and docs.
func pages(t *testing.T) []string {
	t.Helper()
	root := harness.Root(t)
	var list []string
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/*/*.md"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range found {
			rel, _ := filepath.Rel(root, path)
			list = append(list, filepath.ToSlash(rel))
		}
	}
	if len(list) < 10 {
		t.Fatalf("only %v found: wrong directory", list)
	}
	return list
}

func read(t *testing.T, page string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(harness.Root(t), filepath.FromSlash(page)))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func update() bool { return os.Getenv("UPDATE") == "1" }
