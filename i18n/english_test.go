package i18n

import (
	"bytes"
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// update writes resources/all.en_US.json from the source: go generate ./i18n
//
//go:generate go test . -run TestEnglishIsComplete -update
var update = flag.Bool("update", false, "write resources/all.en_US.json from the source")

// entry is one text of a resource file; the translation of a plural is an object of forms.
type entry struct {
	ID          string          `json:"id"`
	Translation json.RawMessage `json:"translation"`
}

func readResource(t *testing.T, locale string) []entry {
	t.Helper()
	data, err := resources.ReadFile("resources/all." + locale + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var list []entry
	if err := json.Unmarshal(data, &list); err != nil {
		t.Fatalf("%s: %v", locale, err)
	}
	return list
}

// sourceTexts finds the first argument of every i18n.M and i18n.N; true means plural. An argument that is no literal is
// an error, because nobody could translate it, but in commands: help looks up there, by its English text, what cobra
// holds, and that was once the literal of another call.
func sourceTexts(t *testing.T) map[string]bool {
	t.Helper()
	texts := make(map[string]bool)
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && path != ".." || d.Name() == "testdata" || path == "../test" || path == "../tools") {
			return fs.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, pos := range collect(file, texts, strings.HasPrefix(path, "../commands/")) {
			t.Errorf("%s: the text must be a literal in a call of i18n.M or i18n.N, for it to be translated", files.Position(pos))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return texts
}

// collect adds the texts of a file to texts, and gives the places where a text is made in a way that hides it: from
// what is no literal, unless lookups allows that, by another name of i18n.M, or as a Message put together by hand.
func collect(file *ast.File, texts map[string]bool, lookups bool) (hidden []token.Pos) {
	called := make(map[ast.Expr]bool)
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			name := ofThisPackage(n.Fun)
			if name != "M" && name != "N" || len(n.Args) == 0 {
				return true
			}
			called[n.Fun] = true
			if id, ok := literal(n.Args[0]); ok {
				texts[id] = texts[id] || name == "N"
			} else if !lookups {
				hidden = append(hidden, n.Pos())
			}
		case *ast.SelectorExpr:
			if name := ofThisPackage(n); (name == "M" || name == "N") && !called[n] {
				hidden = append(hidden, n.Pos())
			}
		case *ast.CompositeLit:
			if ofThisPackage(n.Type) == "Message" && len(n.Elts) > 0 {
				hidden = append(hidden, n.Pos())
			}
		}
		return true
	})
	return hidden
}

// ofThisPackage is the name after "i18n."; empty for another expression.
func ofThisPackage(e ast.Expr) string {
	if s, ok := e.(*ast.SelectorExpr); ok {
		if x, ok := s.X.(*ast.Ident); ok && x.Name == "i18n" {
			return s.Sel.Name
		}
	}
	return ""
}

func literal(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		s, err := strconv.Unquote(e.Value)
		return s, err == nil
	case *ast.BinaryExpr:
		a, ok1 := literal(e.X)
		b, ok2 := literal(e.Y)
		return a + b, ok1 && ok2
	case *ast.ParenExpr:
		return literal(e.X)
	}
	return "", false
}

func TestEnglishIsComplete(t *testing.T) {
	texts := sourceTexts(t)
	have := make(map[string]json.RawMessage)
	for _, e := range readResource(t, English) {
		have[e.ID] = e.Translation
	}
	if *update {
		writeEnglish(t, texts, have)
		return
	}
	for id, plural := range texts {
		translation, ok := have[id]
		if !ok {
			t.Errorf("all.en_US.json lacks %q: run 'go generate ./i18n'", id)
			continue
		}
		if plural != bytes.HasPrefix(translation, []byte("{")) {
			t.Errorf("%q: plural forms are %v in the source only: run 'go generate ./i18n'", id, plural)
		}
	}
	for id := range have {
		if _, ok := texts[id]; !ok {
			t.Errorf("all.en_US.json has %q, which is not in the source: run 'go generate ./i18n'", id)
		}
	}
}

func writeEnglish(t *testing.T, texts map[string]bool, have map[string]json.RawMessage) {
	t.Helper()
	ids := make([]string, 0, len(texts))
	for id := range texts {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	list := make([]entry, 0, len(ids))
	for _, id := range ids {
		var translation any = id
		if texts[id] {
			forms := map[string]string{"one": id, "other": id}
			if old := have[id]; bytes.HasPrefix(old, []byte("{")) {
				_ = json.Unmarshal(old, &forms)
			}
			translation = forms
		}
		list = append(list, entry{id, encodeText(t, translation)})
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(list); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("resources/all.en_US.json", out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

func encodeText(t *testing.T, v any) json.RawMessage {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSpace(b.Bytes())
}

// The rules of the IBM Cloud CLI guide for every text.
func TestTextsFollowTheGuide(t *testing.T) {
	please := regexp.MustCompile(`(?i)\bplease\b`)
	plugin := regexp.MustCompile(`\b[Pp]lugin\b`)
	short := regexp.MustCompile(`(?i)n't\b|\b(it|that|there|what|who)'s\b|\b(you|we|they)'(re|ve|ll)\b|\bcan not\b`)
	for id := range sourceTexts(t) {
		if please.MatchString(id) {
			t.Errorf("%q: no \"please\"", id)
		}
		if plugin.MatchString(strings.ReplaceAll(id, "ibmcloud plugin", "")) {
			t.Errorf("%q: write plug-in", id)
		}
		if m := short.FindString(id); m != "" {
			t.Errorf("%q: one form everywhere: write %q out (is not, cannot)", id, m)
		}
		if strings.HasSuffix(id, ".") && !strings.HasSuffix(id, "...") && id[0] >= 'a' && id[0] <= 'z' && !strings.HasPrefix(id, "ibmcloud") {
			t.Errorf("%q: a sentence starts with a capital", id)
		}
	}
}
