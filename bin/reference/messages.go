package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"fn-runtime/i18n/resource"
)

// messages returns the page of all error messages with their suggested fixes, from the calls of fault.New in the
// source. Placeholders are shown as words in capitals.
func messages() (string, error) {
	var rows []string
	for _, dir := range []string{"plugin", "commands", "runtime"} {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if row, ok := faultRow(n); ok {
					rows = append(rows, row)
				}
				return true
			})
			return nil
		})
		if err != nil {
			return "", err
		}
	}
	slices.Sort(rows)
	rows = slices.Compact(rows)
	return "# Messages\n\nThe error messages with suggested fixes. Words in capitals are placeholders, except units and environment\n" +
		"variables. `make docs` generates this page from the source. More about common errors: [troubleshooting](../troubleshooting.md).\n\n| message | what to do |\n|---|---|\n" + strings.Join(rows, "\n") + "\n", nil
}

// faultRow returns the table row of fault.New(kind, i18n.M(reason, ...), i18n.M(recovery, ...)).
func faultRow(n ast.Node) (string, bool) {
	call, ok := n.(*ast.CallExpr)
	if !ok || len(call.Args) != 3 || !isCall(call.Fun, "fault", "New") {
		return "", false
	}
	reason, recovery := text(call.Args[1]), text(call.Args[2])
	if reason == "" || recovery == "" || strings.HasPrefix(reason, "{{") && strings.HasSuffix(reason, "}}") {
		return "", false
	}
	return fmt.Sprintf("| %s | %s |", cell(reason), inCode(cell(recovery))), true
}

func isCall(fun ast.Expr, pkg, name string) bool {
	s, ok := fun.(*ast.SelectorExpr)
	if !ok || s.Sel.Name != name {
		return false
	}
	x, ok := s.X.(*ast.Ident)
	return ok && x.Name == pkg
}

// text returns the literal in i18n.M("..."), or "" for other expressions.
func text(e ast.Expr) string {
	call, ok := e.(*ast.CallExpr)
	if !ok {
		return ""
	}
	text, _ := resource.TextOf(call)
	return text.Other
}

// cell formats a text for a table: {{.Name}} becomes NAME.
func cell(s string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(s, "{{.")
		b.WriteString(before)
		if !found {
			break
		}
		name, after, _ := strings.Cut(rest, "}}")
		b.WriteString(strings.ToUpper(name))
		s = after
	}
	return strings.NewReplacer("|", `\|`, "<", "&lt;", "\n", " ").Replace(b.String())
}
