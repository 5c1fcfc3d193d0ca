package images

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/regular"
)

// maxDockerfile is the most that a Dockerfile may hold, in bytes.
const maxDockerfile = 16 << 20

// folder is a build context: what is sent to the engine, found out before anything is sent.
type folder struct {
	dir        string // without links, so that a context that is a link is the folder behind it
	dockerfile string // path on this machine
	inside     string // the Dockerfile's name among the entries, with slashes; "" when it is outside or excluded
	ignore     string // path of the file that says what is left out, "" none
	entries    []entry
	size       int64 // bytes of all regular files
	added      *addition
}

type entry struct {
	name string // relative, with slashes
	info fs.FileInfo
}

// openFolder reads which files go into the context. A file next to the Dockerfile with its name and ".dockerignore"
// wins over .dockerignore, as in the Docker CLI.
func openFolder(dir, dockerfile string) (*folder, error) {
	if dir == "" {
		dir = "."
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, fault.New(fault.Invalid,
			i18n.M("Directory {{.Dir}} was not found.", "Dir", dir),
			i18n.M("Specify the directory that contains the Dockerfile, or create one with 'ibmcloud fn-runtime init {{.Dir}}'.", "Dir", dir)).Because(err)
	}
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return nil, unreadable(dir, err)
	}
	f := &folder{dir: real, dockerfile: dockerfile}
	if f.dockerfile == "" {
		f.dockerfile = defaultDockerfile(dir)
	}
	info, err := os.Stat(f.dockerfile)
	if err != nil || !info.Mode().IsRegular() {
		return nil, noDockerfile(f.dockerfile, dir, err)
	}
	ignore, err := f.readIgnore(f.dockerfile+".dockerignore", filepath.Join(dir, ".dockerignore"))
	if err != nil {
		return nil, err
	}
	if err := f.walk(ignore); err != nil {
		return nil, err
	}
	return f, f.place()
}

// defaultDockerfile is the Dockerfile of a folder, which may be written in lower case as for the Docker CLI.
func defaultDockerfile(dir string) string {
	path := filepath.Join(dir, "Dockerfile")
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		if lower := filepath.Join(dir, "dockerfile"); isFile(lower) {
			return lower
		}
	}
	return path
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

func noDockerfile(path, dir string, err error) error {
	if abs, absErr := filepath.Abs(path); absErr == nil {
		path = abs
	}
	return fault.New(fault.NotFound,
		i18n.M("No Dockerfile was found at {{.Path}}.", "Path", path),
		i18n.M("Specify it with '--file', or create a skeleton with 'ibmcloud fn-runtime init {{.Dir}}'.", "Dir", dir)).Because(err)
}

func (f *folder) readIgnore(paths ...string) (*patternmatcher.PatternMatcher, error) {
	for _, p := range paths {
		file, err := regular.Open(p)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, unreadable(p, err)
		}
		f.ignore = p
		patterns, err := ignorefile.ReadAll(io.LimitReader(file, 1<<20))
		_ = file.Close()
		if err == nil {
			var m *patternmatcher.PatternMatcher
			if m, err = patternmatcher.New(patterns); err == nil {
				return m, nil
			}
		}
		return nil, fault.New(fault.Invalid,
			i18n.M("{{.Path}} contains an invalid pattern: {{.Error}}.", "Path", p, "Error", err),
			i18n.M("Fix the pattern; see the Docker documentation of '.dockerignore'.")).Because(err)
	}
	return patternmatcher.New(nil)
}

// walk collects the entries. An excluded folder is only entered when an exception ("!...") may lead below it.
func (f *folder) walk(ignore *patternmatcher.PatternMatcher) error {
	exceptions := ignore.Exclusions()
	parents := map[string]patternmatcher.MatchInfo{}
	return filepath.WalkDir(f.dir, func(p string, d fs.DirEntry, err error) error {
		rel, relErr := filepath.Rel(f.dir, p)
		if relErr != nil {
			return relErr
		}
		if rel == "." {
			return unreadable(p, err)
		}
		skip, match, matchErr := ignore.MatchesUsingParentResults(rel, parents[filepath.Dir(rel)])
		if matchErr != nil {
			return matchErr
		}
		if err != nil && !skip { // what is excluded may be unreadable
			return unreadable(p, err)
		}
		if d != nil && d.IsDir() {
			parents[rel] = match
			if skip && (err != nil || !exceptions || !leadsTo(ignore, filepath.ToSlash(rel))) {
				return filepath.SkipDir
			}
		}
		if skip || err != nil {
			return nil
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil // gone since the folder was read
		}
		if err != nil {
			return unreadable(p, err)
		}
		if info.Mode()&fs.ModeSocket != 0 {
			return nil // an archive cannot hold it
		}
		f.entries = append(f.entries, entry{filepath.ToSlash(rel), info})
		if info.Mode().IsRegular() {
			f.size += info.Size()
		}
		return nil
	})
}

// leadsTo reports whether an exception may re-include something below dir. Patterns with wildcards before the last part
// may: then the folder is entered.
func leadsTo(ignore *patternmatcher.PatternMatcher, dir string) bool {
	for _, p := range ignore.Patterns() {
		if !p.Exclusion() {
			continue
		}
		pattern := filepath.ToSlash(p.String())
		if strings.ContainsAny(pattern, "*?[") || strings.HasPrefix(pattern+"/", dir+"/") {
			return true
		}
	}
	return false
}

// place finds out whether the Dockerfile is among the entries.
func (f *folder) place() error {
	abs, err := filepath.Abs(f.dockerfile)
	if err != nil {
		return err
	}
	parent, err := filepath.EvalSymlinks(filepath.Dir(abs))
	if err != nil {
		return unreadable(f.dockerfile, err)
	}
	dir, err := filepath.Abs(f.dir)
	if err != nil {
		return err
	}
	rel, err := filepath.Rel(dir, filepath.Join(parent, filepath.Base(abs)))
	if err != nil {
		return nil // on another drive
	}
	name := filepath.ToSlash(rel)
	for _, e := range f.entries {
		if e.name == name && e.info.Mode().IsRegular() {
			f.inside = name
		}
	}
	return nil
}

func unreadable(path string, err error) error {
	if err == nil {
		return nil
	}
	reason := err
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		reason = pe.Err
	}
	return fault.New(fault.Invalid,
		i18n.M("{{.Path}} cannot be read: {{.Error}}.", "Path", path, "Error", reason),
		i18n.M("Make it readable, or add it to '.dockerignore'.")).Because(err)
}
