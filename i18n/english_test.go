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

// sourceTexts finds the first argument of every i18n.M and i18n.N that is a literal; true means plural.
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
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok && len(call.Args) > 0 {
				if plural, ok := isText(call.Fun); ok {
					if id, ok := literal(call.Args[0]); ok {
						texts[id] = texts[id] || plural
					}
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return texts
}

func isText(fun ast.Expr) (plural, ok bool) {
	s, ok := fun.(*ast.SelectorExpr)
	if !ok {
		return false, false
	}
	x, ok := s.X.(*ast.Ident)
	if !ok || x.Name != "i18n" {
		return false, false
	}
	return s.Sel.Name == "N", s.Sel.Name == "M" || s.Sel.Name == "N"
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

var placeholder = regexp.MustCompile(`{{\.[A-Za-z]+}}`)

// Translations may lack texts, which then stay English; what they have must fit the source.
func TestTranslationsFitTheSource(t *testing.T) {
	texts := sourceTexts(t)
	for _, locale := range Locales() {
		for _, e := range readResource(t, locale) {
			if _, ok := texts[e.ID]; !ok {
				t.Errorf("%s: %q is not in the source", locale, e.ID)
			}
			want := placeholder.FindAllString(e.ID, -1)
			slices.Sort(want)
			for _, text := range formsOf(t, e) {
				got := placeholder.FindAllString(text, -1)
				slices.Sort(got)
				if !slices.Equal(slices.Compact(got), slices.Compact(slices.Clone(want))) && !strings.Contains(strings.Join(want, ""), "{{.Count}}") {
					t.Errorf("%s: %q has the placeholders %v, want %v", locale, text, got, want)
				}
				if strings.Count(e.ID, "'ibmcloud ") != strings.Count(text, "'ibmcloud ") {
					t.Errorf("%s: %q names other commands than %q", locale, text, e.ID)
				}
			}
		}
	}
}

func formsOf(t *testing.T, e entry) []string {
	t.Helper()
	var one string
	if json.Unmarshal(e.Translation, &one) == nil {
		return []string{one}
	}
	var forms map[string]string
	if err := json.Unmarshal(e.Translation, &forms); err != nil {
		t.Fatalf("%q: %v", e.ID, err)
	}
	var list []string
	for _, f := range forms {
		list = append(list, f)
	}
	return list
}

// The rules of the IBM Cloud CLI guide for every text.
func TestTextsFollowTheGuide(t *testing.T) {
	please := regexp.MustCompile(`(?i)\bplease\b`)
	plugin := regexp.MustCompile(`\b[Pp]lugin\b`)
	for id := range sourceTexts(t) {
		if please.MatchString(id) {
			t.Errorf("%q: no \"please\"", id)
		}
		if plugin.MatchString(strings.ReplaceAll(id, "ibmcloud plugin", "")) {
			t.Errorf("%q: write plug-in", id)
		}
		if strings.HasSuffix(id, ".") && !strings.HasSuffix(id, "...") && id[0] >= 'a' && id[0] <= 'z' && !strings.HasPrefix(id, "ibmcloud") {
			t.Errorf("%q: a sentence starts with a capital", id)
		}
	}
}
