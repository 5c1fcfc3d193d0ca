package source

import (
	"go/ast"
	"go/types"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/go/packages"

	"fn-runtime/test/harness"
)

// A name is exported only if another package uses it. A name counts as used if one of these is true: code in another
// directory refers to it (a black-box test is in another directory, a test of the same package is not); it is in the
// signature or the fields of a used object; it is a value of a used type; it is a method that an interface requires.
func TestExportedNamesAreUsedOutside(t *testing.T) {
	mode := packages.NeedName | packages.NeedFiles | packages.NeedImports | packages.NeedTypes | packages.NeedSyntax | packages.NeedTypesInfo
	loaded, err := packages.Load(&packages.Config{Mode: mode, Dir: harness.Root(t), Tests: true}, "./...")
	if err != nil {
		t.Fatal(err)
	}
	declared := map[string]types.Object{} // key -> object
	where := map[string]string{}
	used := map[string]bool{}
	wanted := wantedMethods(loaded)
	for _, p := range loaded {
		if len(p.Errors) > 0 {
			t.Fatal(p.Errors)
		}
		for id, obj := range p.TypesInfo.Defs {
			position := p.Fset.Position(id.Pos())
			if obj == nil || !obj.Exported() || p.Name == "main" || strings.HasSuffix(position.Filename, "_test.go") {
				continue
			}
			if k := key(obj); k != "" && !wanted[obj.Name()] {
				declared[k], where[k] = obj, position.String()
			}
		}
		for _, obj := range p.TypesInfo.Uses {
			if k := key(obj); k != "" && baseDir(obj.Pkg().Path()) != baseDir(p.PkgPath) {
				used[k] = true
			}
		}
	}
	if len(declared) < 100 {
		t.Fatalf("only %d exported names were found", len(declared))
	}
	for grown := true; grown; {
		grown = false
		for k, obj := range declared {
			for _, named := range mentions(obj) {
				name := key(named.Obj())
				// A used object uses the types it exposes, and a used type uses its values.
				_, value := obj.(*types.Const)
				switch {
				case used[k] && !used[name]:
					used[name], grown = true, true
				case value && used[name] && !used[k]:
					used[k], grown = true, true
				}
			}
		}
	}
	var idle []string
	for k := range declared {
		if !used[k] {
			idle = append(idle, k+" is used by no other package: "+where[k])
		}
	}
	slices.Sort(idle)
	if len(idle) > 0 {
		t.Error(strings.Join(idle, "\n"))
	}
}

// key returns the name of a package-level object or a method, identical for every variant of the package. It returns ""
// for any other object.
func key(obj types.Object) string {
	if obj == nil || obj.Pkg() == nil || !strings.HasPrefix(obj.Pkg().Path(), "fn-runtime") {
		return ""
	}
	home := baseDir(obj.Pkg().Path())
	if obj.Parent() == obj.Pkg().Scope() {
		return home + "." + obj.Name()
	}
	if f, ok := obj.(*types.Func); ok && f.Signature().Recv() != nil {
		recv := f.Signature().Recv().Type()
		if p, ok := recv.(*types.Pointer); ok {
			recv = p.Elem()
		}
		if n, ok := recv.(*types.Named); ok {
			return home + "." + n.Obj().Name() + "." + f.Name()
		}
	}
	return ""
}

// mentions returns the named types that an object exposes: in its signature, its exported fields, or its type.
func mentions(obj types.Object) []*types.Named {
	var all []*types.Named
	var walk func(t types.Type, deep bool)
	walk = func(t types.Type, deep bool) {
		switch t := t.(type) {
		case *types.Named:
			all = append(all, t)
			for arg := range t.TypeArgs().Types() {
				walk(arg, false)
			}
			if deep {
				walk(t.Underlying(), true)
			}
		case *types.Pointer:
			walk(t.Elem(), false)
		case *types.Slice:
			walk(t.Elem(), false)
		case *types.Array:
			walk(t.Elem(), false)
		case *types.Chan:
			walk(t.Elem(), false)
		case *types.Map:
			walk(t.Key(), false)
			walk(t.Elem(), false)
		case *types.Tuple:
			for v := range t.Variables() {
				walk(v.Type(), false)
			}
		case *types.Signature:
			walk(t.Params(), false)
			walk(t.Results(), false)
		case *types.Struct:
			for f := range t.Fields() {
				if f.Exported() {
					walk(f.Type(), false)
				}
			}
		case *types.Interface:
			for m := range t.Methods() {
				walk(m.Type(), false)
			}
			for e := range t.EmbeddedTypes() {
				walk(e, false)
			}
		}
	}
	_, isType := obj.(*types.TypeName)
	walk(obj.Type(), isType)
	return all
}

// wantedMethods returns the names of the methods of every interface that our packages and their imports declare.
func wantedMethods(loaded []*packages.Package) map[string]bool {
	wanted, seen := map[string]bool{}, map[*types.Package]bool{}
	add := func(t types.Type) {
		if i, ok := t.Underlying().(*types.Interface); ok {
			for m := range i.Methods() {
				wanted[m.Name()] = true
			}
		}
	}
	var visit func(p *types.Package)
	visit = func(p *types.Package) {
		if seen[p] {
			return
		}
		seen[p] = true
		for _, name := range p.Scope().Names() {
			if obj, ok := p.Scope().Lookup(name).(*types.TypeName); ok {
				add(obj.Type())
			}
		}
		for _, i := range p.Imports() {
			visit(i)
		}
	}
	for _, p := range loaded {
		visit(p.Types)
		for _, file := range p.Syntax {
			ast.Inspect(file, func(n ast.Node) bool {
				if i, ok := n.(*ast.InterfaceType); ok && p.TypesInfo.TypeOf(i) != nil {
					add(p.TypesInfo.TypeOf(i))
				}
				return true
			})
		}
	}
	return wanted
}

// baseDir returns the path of a package without the suffix of its test variants.
func baseDir(path string) string {
	path, _, _ = strings.Cut(path, " ")
	return strings.TrimSuffix(strings.TrimSuffix(path, ".test"), "_test")
}
