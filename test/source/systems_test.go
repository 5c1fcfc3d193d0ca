package source

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strings"
	"testing"

	"golang.org/x/tools/go/packages"

	"fn-runtime/test/harness"
)

// All code, including tests, type-checks for the other operating systems that releases support. The bodies of library
// functions are not checked.
func TestOtherSystemsTypes(t *testing.T) {
	root := harness.Root(t)
	parse := func(fset *token.FileSet, name string, src []byte) (*ast.File, error) {
		f, err := parser.ParseFile(fset, name, src, parser.SkipObjectResolution)
		if err == nil && !strings.HasPrefix(name, root+string(os.PathSeparator)) {
			for _, d := range f.Decls {
				if fn, ok := d.(*ast.FuncDecl); ok {
					fn.Body = nil
				}
			}
		}
		return f, err
	}
	for _, system := range []string{"windows", "darwin"} {
		t.Run(system, func(t *testing.T) {
			mode := packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles | packages.NeedImports | packages.NeedDeps | packages.NeedTypes | packages.NeedSyntax
			loaded, err := packages.Load(&packages.Config{Mode: mode, Dir: root, Tests: true, ParseFile: parse, Env: append(os.Environ(), "GOOS="+system, "CGO_ENABLED=0")}, "./...")
			if err != nil {
				t.Fatal(err)
			}
			if len(loaded) < 50 {
				t.Fatalf("got %d packages, want all", len(loaded))
			}
			for _, p := range loaded {
				if strings.HasSuffix(p.ID, ".test") {
					continue // the main function that go test writes
				}
				for _, e := range p.Errors {
					t.Errorf("%s: %v", p.ID, e)
				}
			}
		})
	}
}
