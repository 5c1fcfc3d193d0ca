package resource

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
)

// Text is an English text in the source.
type Text struct {
	One   string // the singular of i18n.N; "" for i18n.M
	Other string
}

// sourceDirs are the directories of the packages that contain texts for users.
var sourceDirs = []string{"plugin", "commands", "runtime"}

// Source returns the texts of all calls of i18n.M and i18n.N in the project with the given root directory, by ID.
// hidden holds the positions of texts that cannot be translated because they are not literals.
func Source(root string) (texts map[string]Text, hidden []token.Position, err error) {
	texts = make(map[string]Text)
	for _, dir := range sourceDirs {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			files := token.NewFileSet()
			file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			// Package commands calls i18n.M with the texts of cobra commands, which are literals of other calls.
			for _, pos := range collect(file, texts, dir == "commands") {
				hidden = append(hidden, files.Position(pos))
			}
			return nil
		})
		if err != nil {
			return nil, nil, err
		}
	}
	return texts, hidden, nil
}

// collect adds the texts of a file to texts. It returns the positions of hidden texts: calls with a non-literal text,
// unless lookups is true; i18n.M or i18n.N used as a function value; and Message literals.
func collect(file *ast.File, texts map[string]Text, lookups bool) (hidden []token.Pos) {
	called := make(map[ast.Expr]bool)
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			text, ok := TextOf(n)
			name := i18nName(n.Fun)
			if name != "M" && name != "N" {
				return true
			}
			called[n.Fun] = true
			if ok {
				texts[text.Other] = text
			} else if !lookups {
				hidden = append(hidden, n.Pos())
			}
		case *ast.SelectorExpr:
			if name := i18nName(n); (name == "M" || name == "N") && !called[n] {
				hidden = append(hidden, n.Pos())
			}
		case *ast.CompositeLit:
			if i18nName(n.Type) == "Message" && len(n.Elts) > 0 {
				hidden = append(hidden, n.Pos())
			}
		}
		return true
	})
	return hidden
}

// TextOf returns the text of a call of i18n.M or i18n.N with literals. It returns false for other calls.
func TextOf(call *ast.CallExpr) (Text, bool) {
	switch name := i18nName(call.Fun); {
	case name == "M" && len(call.Args) > 0:
		other, ok := literal(call.Args[0])
		return Text{Other: other}, ok
	case name == "N" && len(call.Args) > 2:
		one, ok1 := literal(call.Args[0])
		other, ok2 := literal(call.Args[1])
		return Text{One: one, Other: other}, ok1 && ok2
	}
	return Text{}, false
}

// i18nName returns the name after "i18n." in an expression. It returns "" for other expressions.
func i18nName(e ast.Expr) string {
	if s, ok := e.(*ast.SelectorExpr); ok {
		if x, ok := s.X.(*ast.Ident); ok && x.Name == "i18n" {
			return s.Sel.Name
		}
	}
	return ""
}

// literal returns the value of a string literal or a concatenation of string literals.
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
