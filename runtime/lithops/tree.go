package lithops

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strings"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
)

// tree lists the files of a Lithops package that belong in the handler archive.
type tree struct {
	dir   string   // package directory
	flat  bool     // whether the rules of releases before 3.8.0 apply
	files []string // relative paths with slashes, sorted
	raw   int64    // bytes read so far
}

// skip reports whether the client omits a file or directory from the archive. Before 3.8.0 it omits only compiled
// files; later releases also omit the pytest cache and zip files (utils.py: _SKIP_HANDLER_ZIP_DIRS,
// _skip_in_handler_zip).
func (t *tree) skip(name string, dir bool) bool {
	if t.flat {
		return dir && strings.Contains(name, "__pycache__")
	}
	if dir {
		return name == "__pycache__" || name == ".pytest_cache"
	}
	return strings.HasSuffix(name, ".zip")
}

// path returns the local path of a file. name is relative to the package and contains slashes.
func (t *tree) path(name string) string { return filepath.Join(t.dir, filepath.FromSlash(name)) }

func (t *tree) walk(ctx context.Context, dir string, depth int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if depth > maxTree || len(t.files) > maxFiles {
		return fault.New(fault.TooLarge,
			i18n.M("{{.Dir}} contains more than {{.Files}} files or {{.Levels}} directory levels.", "Dir", t.dir, "Files", maxFiles, "Levels", maxTree),
			i18n.M("Remove everything that is not part of Lithops from this directory, or reinstall Lithops."))
	}
	entries, err := t.entries(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := path.Join(dir, e.Name())
		info, err := os.Stat(t.path(name)) // follows links like the client; some installers create packages that contain only links
		if errors.Is(err, fs.ErrNotExist) {
			continue // a dangling link, such as an editor's lock; the client skips it too
		}
		if err != nil {
			return unreadable(t.path(name), err)
		}
		switch {
		case t.skip(e.Name(), info.IsDir()):
		case strings.Contains(e.Name(), `\`): // unpacking treats a backslash as a slash, so the name could escape the directory
			return fault.New(fault.Invalid,
				i18n.M("{{.Path}} has a backslash in its name, so unpacking the archive could write it to another directory.", "Path", t.path(name)),
				i18n.M("Remove it, or reinstall Lithops."))
		case info.IsDir():
			err = t.walk(ctx, name, depth+1)
		case info.Mode().IsRegular():
			t.files = append(t.files, name)
		default:
			return fault.New(fault.Invalid,
				i18n.M("{{.Path}} is neither a file nor a directory.", "Path", t.path(name)),
				i18n.M("Remove it, or reinstall Lithops."))
		}
		if err != nil {
			return err
		}
	}
	if depth == 0 {
		sort.Strings(t.files)
	}
	return nil
}

func (t *tree) entries(dir string) ([]fs.DirEntry, error) {
	f, err := os.Open(t.path(dir))
	if err != nil {
		return nil, unreadable(t.path(dir), err)
	}
	defer f.Close()
	entries, err := f.ReadDir(maxFiles + 1)
	if err != nil && len(entries) == 0 && !errors.Is(err, io.EOF) {
		return nil, unreadable(t.path(dir), err)
	}
	return entries, nil
}
