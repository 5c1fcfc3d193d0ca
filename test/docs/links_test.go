package docs

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"fn-runtime/test/harness"
)

var (
	linkTo  = regexp.MustCompile(`!?\[[^\]]*\]\(([^)\s]*)\)`)
	heading = regexp.MustCompile("(?m)^#{1,6} +(.+?) *$")
	inCode  = regexp.MustCompile("(?s)```.*?```|`[^`\n]*`")
	noSlug  = regexp.MustCompile(`[^\p{L}\p{N}\p{M} _-]`)
)

// slug returns GitHub's anchor of a heading.
func slug(heading string) string {
	s := linkTo.ReplaceAllStringFunc(heading, func(m string) string { return m[1:strings.Index(m, "]")] })
	s = noSlug.ReplaceAllString(strings.ToLower(strings.ReplaceAll(s, "`", "")), "")
	return strings.ReplaceAll(s, " ", "-")
}

func TestLinks(t *testing.T) {
	root := harness.Root(t)
	anchors := func(page string) map[string]bool {
		data, err := os.ReadFile(filepath.Join(root, page))
		if err != nil {
			return nil
		}
		text := regexp.MustCompile("(?s)```.*?```").ReplaceAllString(string(data), "")
		all := map[string]bool{}
		for _, m := range heading.FindAllStringSubmatch(text, -1) {
			all[slug(m[1])] = true
		}
		return all
	}
	seen := 0
	for _, page := range pages(t) {
		text := inCode.ReplaceAllString(read(t, page), "")
		for _, m := range linkTo.FindAllStringSubmatch(text, -1) {
			target, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			seen++
			file := page
			if target != "" {
				file = path.Join(path.Dir(page), target)
			}
			if _, err := os.Stat(filepath.Join(root, file)); err != nil || strings.HasPrefix(file, "..") {
				t.Errorf("%s: the link %s leads nowhere", page, m[1])
			} else if anchor != "" && !anchors(file)[anchor] {
				t.Errorf("%s: %s has no heading #%s", page, file, anchor)
			}
		}
	}
	if seen < 20 {
		t.Errorf("only %d links seen", seen)
	}
}

// Every page of docs can be reached from the README with a few clicks.
func TestEveryPageIsReachable(t *testing.T) {
	reached := map[string]bool{}
	var visit func(page string)
	visit = func(page string) {
		if reached[page] {
			return
		}
		reached[page] = true
		data, err := os.ReadFile(filepath.Join(harness.Root(t), page))
		if err != nil || !strings.HasSuffix(page, ".md") {
			return
		}
		for _, m := range linkTo.FindAllStringSubmatch(inCode.ReplaceAllString(string(data), ""), -1) {
			if target, _, _ := strings.Cut(m[1], "#"); target != "" && !strings.Contains(target, "://") {
				visit(path.Join(path.Dir(page), target))
			}
		}
	}
	visit("README.md")
	for _, page := range pages(t) {
		if !reached[page] {
			t.Errorf("no link leads from README.md to %s", page)
		}
	}
}
