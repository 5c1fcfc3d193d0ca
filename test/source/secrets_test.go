package source

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"fn-runtime/test/harness"
)

// secretName matches the names of credentials, and of values derived from them, in the source of the local endpoint.
var secretName = regexp.MustCompile(`(?i)^(api_?key|access_?key|secret_?key|token|secret|password|signature|given|authorization|credential)s?$`)

// TestCredentialsAreComparedInConstantTime checks the source of the local endpoint: no ==, !=, switch, bytes.Equal,
// strings.EqualFold or similar function has a credential on either side. The exception is a comparison with a constant,
// which checks whether there is a credential. Credentials are compared with crypto/subtle or crypto/hmac.
func TestCredentialsAreComparedInConstantTime(t *testing.T) {
	constant := 0
	root := filepath.Join(harness.Root(t), "runtime", "local")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, wrong := range leaky(file, &constant) {
			t.Errorf("%s compares credentials in a time that depends on them", set.Position(wrong))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if constant < 3 { // the API, the admin requests, S3's signatures and tokens
		t.Errorf("only %d comparisons in constant time were found", constant)
	}
}

// leaky returns the positions of comparisons of credentials that are not constant-time, and counts the constant-time
// ones in constant.
func leaky(file *ast.File, constant *int) (wrong []token.Pos) {
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BinaryExpr:
			if (n.Op == token.EQL || n.Op == token.NEQ) && (secret(n.X) && !fixed(n.Y) || secret(n.Y) && !fixed(n.X)) {
				wrong = append(wrong, n.Pos())
			}
		case *ast.SwitchStmt:
			if n.Tag != nil && secret(n.Tag) {
				wrong = append(wrong, n.Pos())
			}
		case *ast.CallExpr:
			f, ok := n.Fun.(*ast.SelectorExpr)
			if !ok {
				break
			}
			of, _ := f.X.(*ast.Ident)
			switch {
			case of == nil:
			case of.Name == "subtle" && f.Sel.Name == "ConstantTimeCompare", of.Name == "hmac" && f.Sel.Name == "Equal":
				*constant++
			case of.Name == "bytes" || of.Name == "strings" || of.Name == "slices" || of.Name == "reflect" || of.Name == "cmp":
				if !regexp.MustCompile(`^(Equal|EqualFold|Compare|DeepEqual|HasPrefix|HasSuffix|Contains|Index)$`).MatchString(f.Sel.Name) {
					break
				}
				for i, arg := range n.Args {
					if secret(arg) && !(len(n.Args) == 2 && fixed(n.Args[1-i])) {
						wrong = append(wrong, n.Pos())
					}
				}
			}
		}
		return true
	})
	return wrong
}

// secret reports whether an expression names a credential or a part of one.
func secret(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return secretName.MatchString(e.Name)
	case *ast.SelectorExpr:
		return secretName.MatchString(e.Sel.Name)
	case *ast.SliceExpr:
		return secret(e.X)
	case *ast.ParenExpr:
		return secret(e.X)
	case *ast.CallExpr: // []byte(token), strings.TrimSpace(token)
		if slices.ContainsFunc(e.Args, secret) {
			return true
		}
	}
	return false
}

// fixed reports whether an expression is a literal or nil.
func fixed(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.BasicLit:
		return true
	case *ast.Ident:
		return e.Name == "nil"
	}
	return false
}

// TestLeakyComparisonsAreFound checks that the rule above detects violations.
func TestLeakyComparisonsAreFound(t *testing.T) {
	for text, want := range map[string]int{
		`given == k.SecretKey`: 1, `bytes.Equal([]byte(token), x)`: 1, `strings.EqualFold(a.Token, b)`: 1, `s.value != signature`: 1,
		`token == ""`: 0, `len(token) == 3`: 0, `subtle.ConstantTimeCompare(given, token) == 1`: 0, `strings.HasPrefix(token, "Bearer ")`: 0,
	} {
		file, err := parser.ParseFile(token.NewFileSet(), "x.go", "package x\nvar _ = "+text, 0)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		if got := leaky(file, &n); len(got) != want {
			t.Errorf("%s: %d", text, len(got))
		}
	}
}
