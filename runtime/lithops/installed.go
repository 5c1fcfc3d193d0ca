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

// maxSmallFile bounds version.py and pyvenv.cfg, of which real ones have less than 1 KB.
const maxSmallFile = 64 << 10

// isPackage reports whether a folder is a Lithops package, whole or not.
func isPackage(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "version.py"))
	return err == nil
}

var versionLine = text.NewPattern(`(?m)^__version__\s*=\s*["']([^"'\r\n]*)["']`)

// readVersion reads __version__ of a package's version.py, and checks that the package is whole as far as it is
// needed here.
func readVersion(dir string) (string, error) {
	broken := func(what string) error {
		return fault.New(fault.Invalid,
			i18n.M("The Lithops installation in {{.Dir}} is broken: {{.What}}.", "Dir", dir, "What", what),
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

// fromFiles reads Lithops' and Python's version next to an interpreter without starting it. ok is false where only
// Python itself can tell: PYTHONPATH and PYTHONHOME, packages of the user, editable installs, Debian's layout.
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
		return Install{}, false, nil // it may be elsewhere: linked by a .pth file, or installed system-wide
	}
	in = Install{Dir: dir, Python: version, Interpreter: python}
	in.Version, err = readVersion(dir)
	return in, true, err
}

var venvLine = text.NewPattern(`(?m)^version(?:_info)?\s*=\s*(3\.\d{1,2})\.`)

// venvVersion reads "3.11" from a pyvenv.cfg, written by venv or by virtualenv.
func venvVersion(config []byte) string {
	if m := venvLine.FindSubmatch(config); m != nil {
		return string(m[1])
	}
	return ""
}

var binaryName = text.NewPattern(`^python(\d\.\d{1,2})$`)

// prefixVersion is for an interpreter in a prefix of its own, such as pyenv's or conda's: its real name tells the
// version, and it lies beside its library. "" for all others.
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

func (o FindOptions) hasUserSite(version string) bool {
	if o.Getenv("PYTHONNOUSERSITE") != "" {
		return false
	}
	base := o.Getenv("PYTHONUSERBASE")
	if base == "" {
		base = filepath.Join(o.Home, ".local")
		if runtime.GOOS == "darwin" {
			return true // ~/Library/Python on framework builds: let Python tell
		}
	}
	_, err := os.Stat(filepath.Join(base, "lib", "python"+strings.TrimSpace(version), "site-packages"))
	return err == nil
}
