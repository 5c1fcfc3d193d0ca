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

// FindOptions specifies where to search for Lithops.
type FindOptions struct {
	Python  string              // path of an interpreter, or "3.11"; empty to search
	Dir     string              // package directory, or a directory that contains lithops/
	Getenv  func(string) string // VIRTUAL_ENV, CONDA_PREFIX, PATH and the variables of Python
	Home    string
	WorkDir string
	Environ []string // environment of interpreters that are started; nil for that of this process
}

// Find returns the Lithops that the user's Python imports. It checks Dir, Python, the active virtual or conda
// environment, and python3 and python in PATH, in this order. It uses the first Python that has Lithops. Find starts
// Python only if the files of the installation do not contain all the information.
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
	var broken error // for example a shim without a version or a dangling link; the next Python may work
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

// errNoLithops means that an interpreter works but does not have Lithops.
var errNoLithops = errors.New("no lithops")

// errPythonFailed means that an interpreter does not work.
var errPythonFailed = errors.New("no response from Python")

// pythons returns the interpreters to check, in order of preference and without duplicates.
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

// resolvePython returns the path of the interpreter that the user specified.
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

// pythonIn returns the interpreter of a virtual or conda environment. It returns "" if there is none.
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

// lookPath returns the path of a program in PATH. It returns "" if the program is not found.
func (o FindOptions) lookPath(name string) string {
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	for _, dir := range filepath.SplitList(o.Getenv("PATH")) {
		if dir == "" || !filepath.IsAbs(dir) {
			continue // never run a program of the working directory by accident
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

// inspectDir reads the Lithops in the directory that the user specified. Its Python is the one specified with --python,
// otherwise the Python whose site-packages contain the directory, otherwise the one that Find would use. Python is
// empty if there is none.
func (o FindOptions) inspectDir(ctx context.Context) (Install, error) {
	dir := absolute(o.Dir, o.Home, o.WorkDir)
	pkg := ""
	for _, d := range []string{dir, filepath.Join(dir, "lithops")} {
		if isPackage(d) {
			pkg = d
			break
		}
	}
	if pkg == "" {
		return Install{}, fault.New(fault.Usage,
			i18n.M("Lithops was not found in {{.Dir}}: neither version.py nor lithops/version.py exists there.", "Dir", dir),
			i18n.M("Set '--lithops' to the package directory, or omit '--lithops' to use the installed package."))
	}
	in := Install{Dir: pkg}
	var err error
	if in.Version, err = readVersion(pkg); err != nil {
		return Install{}, err
	}
	if o.Python == "" {
		if m := sitePackages.FindStringSubmatch(filepath.ToSlash(pkg)); m != nil {
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
