package lithops

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/regular"
	"fn-runtime/runtime/text"
)

// maxSmallFile is the limit in bytes for version.py and pyvenv.cfg. Actual files are smaller than 1 KB.
const maxSmallFile = 64 << 10

// isPackage reports whether a directory is a Lithops package. The package may be incomplete.
func isPackage(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "version.py"))
	return err == nil
}

var versionLine = text.NewPattern(`(?m)^__version__\s*=\s*["']([^"'\r\n]*)["']`)

// readVersion returns __version__ from the version.py of a package. It returns an error if a required part of the
// package is missing.
func readVersion(dir string) (string, error) {
	broken := func(problem string) error {
		return fault.New(fault.Invalid,
			i18n.M("The Lithops installation in {{.Dir}} is broken: {{.What}}.", "Dir", dir, "What", problem),
			i18n.M("Reinstall it with 'python3 -m pip install --force-reinstall lithops'."))
	}
	data, err := regular.Read(filepath.Join(dir, "version.py"), maxSmallFile)
	if err != nil {
		return "", broken("version.py: " + plain(err))
	}
	m := versionLine.FindSubmatch(data)
	if m == nil || !versionOnly.Match(m[1]) {
		return "", broken("version.py holds no version")
	}
	for _, needed := range []string{"__init__.py", "worker"} {
		if _, err := os.Stat(filepath.Join(dir, needed)); err != nil {
			return "", broken(needed + ": " + plain(err))
		}
	}
	version := string(m[1])
	if parseRelease(version).before(2, 2, 0) {
		return "", fault.New(fault.Invalid,
			i18n.M("Lithops {{.Version}} in {{.Dir}} is too old.", "Version", version, "Dir", dir),
			i18n.M("Install Lithops 2.2 or later with 'python3 -m pip install --upgrade lithops'."))
	}
	return version, nil
}

// fromFiles determines the versions of Lithops and Python from files, without starting the interpreter. ok is false if
// only Python can determine them: with PYTHONPATH or PYTHONHOME, packages in the user's site directory, editable
// installations, or the layout of Debian.
func (o FindOptions) fromFiles(python string) (in Install, ok bool, err error) {
	if o.Getenv("PYTHONPATH") != "" || o.Getenv("PYTHONHOME") != "" {
		return Install{}, false, nil
	}
	root := filepath.Dir(filepath.Dir(python))
	config, err := regular.Read(filepath.Join(root, "pyvenv.cfg"), maxSmallFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Install{}, false, nil
	}
	version := ""
	if venv := err == nil; venv {
		version = venvVersion(config)
	} else if version = prefixVersion(python, root); version != "" && o.hasUserSite(version) {
		return Install{}, false, nil
	}
	if version == "" {
		return Install{}, false, nil
	}
	dir := filepath.Join(root, "lib", "python"+version, "site-packages", "lithops")
	if runtime.GOOS == "windows" {
		dir = filepath.Join(root, "Lib", "site-packages", "lithops")
	}
	if !isPackage(dir) {
		return Install{}, false, nil // Lithops may be in another directory: in a .pth file, or installed system-wide
	}
	in = Install{Dir: dir, Python: version, Interpreter: python}
	in.Version, err = readVersion(dir)
	return in, true, err
}

var venvLine = text.NewPattern(`(?m)^version(?:_info)?\s*=\s*(3\.\d{1,2})\.`)

// venvVersion returns a version such as "3.11" from a pyvenv.cfg that venv or virtualenv wrote. It returns "" if there
// is none.
func venvVersion(config []byte) string {
	if m := venvLine.FindSubmatch(config); m != nil {
		return string(m[1])
	}
	return ""
}

var binaryName = text.NewPattern(`^python(\d\.\d{1,2})$`)

// prefixVersion returns the version of an interpreter that has its own prefix, such as one of pyenv or conda. The file
// name contains the version, and the library is in the same prefix. prefixVersion returns "" for other interpreters.
func prefixVersion(python, root string) string {
	target, err := filepath.EvalSymlinks(python)
	if err != nil || filepath.Dir(target) != filepath.Join(root, "bin") || root == "/usr" || root == "/usr/local" || root == "/" {
		return ""
	}
	m := binaryName.FindStringSubmatch(filepath.Base(target))
	if m == nil {
		return ""
	}
	if head, err := regular.Open(target); err == nil { // a shim is a script
		defer head.Close()
		var magic [2]byte
		if n, _ := head.Read(magic[:]); n < 2 || string(magic[:]) == "#!" {
			return ""
		}
	}
	return m[1]
}

// hasUserSite reports whether a Python version may have packages in the site directory of the user.
func (o FindOptions) hasUserSite(version string) bool {
	if o.Getenv("PYTHONNOUSERSITE") != "" {
		return false
	}
	base := o.Getenv("PYTHONUSERBASE")
	if base == "" {
		base = filepath.Join(o.Home, ".local")
		if runtime.GOOS == "darwin" {
			return true // ~/Library/Python on framework builds; only Python can determine this
		}
	}
	_, err := os.Stat(filepath.Join(base, "lib", "python"+strings.TrimSpace(version), "site-packages"))
	return err == nil
}
