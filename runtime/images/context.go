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

// maxDockerfile is the maximum size of a Dockerfile, in bytes.
const maxDockerfile = 16 << 20

// buildContext lists the files that are sent to the engine. The list is complete before anything is sent.
type buildContext struct {
	dir             string // with symbolic links resolved, so that a link to a directory means that directory
	dockerfile      string // local path
	dockerfileEntry string // entry name of the Dockerfile, with slashes; "" if the Dockerfile is outside of dir or excluded
	ignore          string // path of the .dockerignore file, or ""
	entries         []entry
	size            int64 // total bytes of regular files
	extra           *extraFile
}

type entry struct {
	name string // relative, with slashes
	info fs.FileInfo
}

// openContext lists the files of the context. As in the Docker CLI, a file next to the Dockerfile with its name and the
// suffix ".dockerignore" takes precedence over .dockerignore.
func openContext(dir, dockerfile string) (*buildContext, error) {
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
		return nil, readFault(dir, err)
	}
	f := &buildContext{dir: real, dockerfile: dockerfile}
	if f.dockerfile == "" {
		f.dockerfile = defaultDockerfile(dir)
	}
	info, err := os.Stat(f.dockerfile)
	if err != nil || !info.Mode().IsRegular() {
		return nil, dockerfileMissing(f.dockerfile, dir, err)
	}
	ignore, err := f.readIgnore(f.dockerfile+".dockerignore", filepath.Join(dir, ".dockerignore"))
	if err != nil {
		return nil, err
	}
	if err := f.walk(ignore); err != nil {
		return nil, err
	}
	return f, f.findDockerfile()
}

// defaultDockerfile returns the Dockerfile of a directory. As in the Docker CLI, its name may be lower case.
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

func dockerfileMissing(path, dir string, err error) error {
	if abs, absErr := filepath.Abs(path); absErr == nil {
		path = abs
	}
	return fault.New(fault.NotFound,
		i18n.M("No Dockerfile was found at {{.Path}}.", "Path", path),
		i18n.M("Specify it with '--file', or create a skeleton with 'ibmcloud fn-runtime init {{.Dir}}'.", "Dir", dir)).Because(err)
}

// readIgnore reads the first existing file of paths, which contains patterns of excluded files.
func (f *buildContext) readIgnore(paths ...string) (*patternmatcher.PatternMatcher, error) {
	for _, p := range paths {
		file, err := regular.Open(p)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, readFault(p, err)
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

// walk collects the entries. It enters an excluded directory only if an exception ("!...") may match below it.
func (f *buildContext) walk(ignore *patternmatcher.PatternMatcher) error {
	exceptions := ignore.Exclusions()
	parents := map[string]patternmatcher.MatchInfo{}
	return filepath.WalkDir(f.dir, func(p string, d fs.DirEntry, err error) error {
		rel, relErr := filepath.Rel(f.dir, p)
		if relErr != nil {
			return relErr
		}
		if rel == "." {
			return readFault(p, err)
		}
		skip, match, matchErr := ignore.MatchesUsingParentResults(rel, parents[filepath.Dir(rel)])
		if matchErr != nil {
			return matchErr
		}
		if err != nil && !skip { // excluded files may be unreadable
			return readFault(p, err)
		}
		if d != nil && d.IsDir() {
			parents[rel] = match
			if skip && (err != nil || !exceptions || !mayReinclude(ignore, filepath.ToSlash(rel))) {
				return filepath.SkipDir
			}
		}
		if skip || err != nil {
			return nil
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil // deleted since the directory was read
		}
		if err != nil {
			return readFault(p, err)
		}
		if info.Mode()&fs.ModeSocket != 0 {
			return nil // a tar archive cannot contain sockets
		}
		f.entries = append(f.entries, entry{filepath.ToSlash(rel), info})
		if info.Mode().IsRegular() {
			f.size += info.Size()
		}
		return nil
	})
}

// mayReinclude reports whether an exception may include files below dir. It returns true if any exception has a
// wildcard.
func mayReinclude(ignore *patternmatcher.PatternMatcher, dir string) bool {
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

// findDockerfile sets dockerfileEntry if the Dockerfile is among the entries.
func (f *buildContext) findDockerfile() error {
	abs, err := filepath.Abs(f.dockerfile)
	if err != nil {
		return err
	}
	parent, err := filepath.EvalSymlinks(filepath.Dir(abs))
	if err != nil {
		return readFault(f.dockerfile, err)
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
			f.dockerfileEntry = name
		}
	}
	return nil
}

func readFault(path string, err error) error {
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
