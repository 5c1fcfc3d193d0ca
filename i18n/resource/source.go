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

// Text is an English text of the source.
type Text struct {
	One   string // the singular of i18n.N; empty without plurals
	Other string
}

// rooms are the folders whose texts people read.
var rooms = []string{"plugin", "commands", "runtime"}

// Source finds the texts of every i18n.M and i18n.N below the root of the project, by ID. hidden are the places where a
// text is made in such a way that nobody could translate it.
func Source(root string) (texts map[string]Text, hidden []token.Position, err error) {
	texts = make(map[string]Text)
	for _, room := range rooms {
		err := filepath.WalkDir(filepath.Join(root, room), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			files := token.NewFileSet()
			file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			// Help looks up by its English text what cobra holds, and that was once the literal of another call.
			for _, pos := range collect(file, texts, room == "commands") {
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

// collect adds the texts of a file to texts, and returns the places where a text is hidden: made from what is no literal,
// unless lookups allows that, by another name of i18n.M, or as a Message put together by hand.
func collect(file *ast.File, texts map[string]Text, lookups bool) (hidden []token.Pos) {
	called := make(map[ast.Expr]bool)
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			text, ok := TextOf(n)
			name := ofI18n(n.Fun)
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
			if name := ofI18n(n); (name == "M" || name == "N") && !called[n] {
				hidden = append(hidden, n.Pos())
			}
		case *ast.CompositeLit:
			if ofI18n(n.Type) == "Message" && len(n.Elts) > 0 {
				hidden = append(hidden, n.Pos())
			}
		}
		return true
	})
	return hidden
}

// TextOf returns the text of a call of i18n.M or i18n.N with literals; false for any other call.
func TextOf(call *ast.CallExpr) (Text, bool) {
	switch name := ofI18n(call.Fun); {
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

// ofI18n is the name after "i18n."; empty for another expression.
func ofI18n(e ast.Expr) string {
	if s, ok := e.(*ast.SelectorExpr); ok {
		if x, ok := s.X.(*ast.Ident); ok && x.Name == "i18n" {
			return s.Sel.Name
		}
	}
	return ""
}

// literal is the value of a string constant that is written out.
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
