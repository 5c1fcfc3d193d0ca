package lithops

import (
	"cmp"
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/text"
)

// FindOptions says where to look for the user's Lithops.
type FindOptions struct {
	Python  string              // an interpreter's path, or "3.11"; "" looks around
	Dir     string              // the package's folder, or one that holds lithops/
	Getenv  func(string) string // VIRTUAL_ENV, CONDA_PREFIX, PATH and Python's own variables
	Home    string
	WorkDir string
	Environ []string // of the interpreter that is asked; nil: as this program's own
}

// Find returns the Lithops that the user's Python would import: the one in Dir; that of Python; of the active virtual
// or conda environment; of python3 and of python on the path. The first Python that has Lithops counts. Python itself
// is started only where its files do not tell for certain.
func Find(ctx context.Context, o FindOptions) (Install, error) {
	if o.Getenv == nil {
		o.Getenv = func(string) string { return "" }
	}
	if o.Dir != "" {
		return o.inspectDir(ctx)
	}
	pythons, err := o.pythons()
	if err != nil {
		return Install{}, err
	}
	if len(pythons) == 0 {
		return Install{}, fault.New(fault.NotFound,
			i18n.M("Python was not found: no environment is active, and neither python3 nor python is in PATH."),
			i18n.M("Install Python 3 and Lithops, or specify an interpreter with '--python'."))
	}
	var without []string
	var broken error // a shim without a version, a link to nothing: the next Python may do
	for _, p := range pythons {
		in, err := o.inspect(ctx, p)
		switch {
		case errors.Is(err, errNoLithops):
			without = append(without, p)
		case errors.Is(err, errPythonFailed):
			broken = cmp.Or(broken, err)
		default:
			return in, err
		}
	}
	if len(without) == 0 {
		return Install{}, broken
	}
	return Install{}, fault.New(fault.NotFound,
		i18n.M("Lithops is not installed for Python ({{.Places}}).", "Places", strings.Join(without, ", ")),
		i18n.M("Install it with '{{.Python}} -m pip install lithops', or specify its location with '--python' or '--lithops'.",
			"Python", without[0]))
}

// errNoLithops says that an interpreter works and has no Lithops.
var errNoLithops = errors.New("no lithops")

// errPythonFailed says that an interpreter does not work.
var errPythonFailed = errors.New("no response from Python")

// pythons lists the interpreters to look at, best first, each once.
func (o FindOptions) pythons() ([]string, error) {
	if o.Python != "" {
		p, err := o.resolvePython()
		return []string{p}, err
	}
	var list []string
	add := func(path string) {
		if slices.Contains(list, path) {
			return
		}
		if path != "" {
			list = append(list, path)
		}
	}
	for _, env := range []string{"VIRTUAL_ENV", "CONDA_PREFIX"} {
		if root := o.Getenv(env); root != "" {
			add(pythonIn(root, env == "CONDA_PREFIX"))
		}
	}
	add(o.lookPath("python3"))
	add(o.lookPath("python"))
	return list, nil
}

var pythonVersion = text.NewPattern(`^[23](\.\d{1,2}){0,2}$`)

// resolvePython finds the interpreter that the user named.
func (o FindOptions) resolvePython() (string, error) {
	name := o.Python
	if strings.ContainsAny(name, `/\`) || strings.HasPrefix(name, "~") {
		path := absolute(name, o.Home, o.WorkDir)
		info, err := os.Stat(path)
		if err == nil && info.IsDir() {
			if p := pythonIn(path, false); p != "" {
				return p, nil
			}
		} else if err == nil {
			return path, nil
		}
		return "", fault.New(fault.Usage,
			i18n.M("There is no Python interpreter at {{.Path}}.", "Path", path),
			i18n.M("Correct the path in '--python', or specify a version such as 3.11."))
	}
	if pythonVersion.MatchString(name) {
		name = "python" + name
	}
	if p := o.lookPath(name); p != "" {
		return p, nil
	}
	return "", fault.New(fault.Usage,
		i18n.M("{{.Name}} was not found in PATH.", "Name", name),
		i18n.M("Install it, or specify the path of an interpreter with '--python'."))
}

// pythonIn is the interpreter of a virtual or conda environment; "" when there is none.
func pythonIn(root string, conda bool) string {
	candidates := []string{filepath.Join("bin", "python"), filepath.Join("bin", "python3")}
	if runtime.GOOS == "windows" {
		candidates = []string{filepath.Join("Scripts", "python.exe")}
		if conda {
			candidates = []string{"python.exe"}
		}
	}
	for _, p := range candidates {
		if path := filepath.Join(root, p); executable(path) {
			return path
		}
	}
	return ""
}

// lookPath finds a program on the path of Getenv; "" when it is not there.
func (o FindOptions) lookPath(name string) string {
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	for _, dir := range filepath.SplitList(o.Getenv("PATH")) {
		if dir == "" || !filepath.IsAbs(dir) {
			continue // what lies in the working directory is not run by accident
		}
		if path := filepath.Join(dir, name); executable(path) {
			return path
		}
	}
	return ""
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir() && (runtime.GOOS == "windows" || info.Mode()&0o111 != 0)
}

// inspectDir reads the Lithops in a folder that the user named. Its Python is that of --python, or the one whose
// site-packages the folder is in, or the one that a script would run under; "" when there is none.
func (o FindOptions) inspectDir(ctx context.Context) (Install, error) {
	dir := absolute(o.Dir, o.Home, o.WorkDir)
	found := ""
	for _, d := range []string{dir, filepath.Join(dir, "lithops")} {
		if isPackage(d) {
			found = d
			break
		}
	}
	if found == "" {
		return Install{}, fault.New(fault.Usage,
			i18n.M("Lithops was not found in {{.Dir}}: neither version.py nor lithops/version.py exists there.", "Dir", dir),
			i18n.M("Set '--lithops' to the package directory, or omit '--lithops' to use the installed package."))
	}
	in := Install{Dir: found}
	var err error
	if in.Version, err = readVersion(found); err != nil {
		return Install{}, err
	}
	if o.Python == "" {
		if m := sitePackages.FindStringSubmatch(filepath.ToSlash(found)); m != nil {
			in.Python = m[1]
			return in, nil
		}
	}
	pythons, err := o.pythons()
	if err != nil {
		return Install{}, err
	}
	for _, p := range pythons {
		got, err := o.inspect(ctx, p)
		if err != nil && !errors.Is(err, errNoLithops) {
			if o.Python != "" || ctx.Err() != nil {
				return Install{}, err
			}
			continue
		}
		in.Python, in.Interpreter = got.Python, got.Interpreter
		break
	}
	return in, nil
}

var sitePackages = text.NewPattern(`/python(\d\.\d{1,2})/(?:site|dist)-packages/lithops$`)
