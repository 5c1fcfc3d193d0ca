// Package manifest reads the file of 'apply', which declares a list of runtimes.
//
// It checks the syntax of the file and reports errors with their positions. It does not apply the declarations, and it
// does not know the limits of a backend.
package manifest

import (
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"slices"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/regular"
)

// File is the content of a file of 'apply'.
type File struct {
	Dir      string // directory that its paths are relative to
	Runtimes []Runtime
}

// Runtime declares an image with one or several memory sizes and regions.
type Runtime struct {
	At       Position
	Image    string // "default" or a reference
	MemoryMB []int  // empty: the configured memory
	MilliCPU int    // 0: the default for the memory size
	TimeoutS int    // 0: the configured timeout
	Code     string // "config-map" or "image"; "" is "config-map"
	Regions  []string
	Pin      bool   // register the image under a tag that is never moved
	Build    *Build // nil: the image is in a registry
}

// Build describes how to build the image. Paths are absolute, or relative to the working directory.
type Build struct {
	Context    string
	Dockerfile string // "": Dockerfile in Context
	Args       map[string]string
	Platform   string // "": linux/amd64
}

// Position is a position in a file. Line and column start at 1.
type Position struct {
	File         string
	Line, Column int
}

// Fault returns an error at the position.
func (p Position) Fault(what i18n.Message) error {
	return fault.New(fault.Invalid,
		i18n.M("{{.File}}:{{.Line}}:{{.Column}}: {{.What}}", "File", p.File, "Line", p.Line, "Column", p.Column, "What", what),
		i18n.M("Correct the file. Run 'ibmcloud fn-runtime apply --schema' to see its format."))
}

// Wrap adds the position of a declaration to an error about that declaration. It returns nil for a nil err.
func (p Position) Wrap(err error) error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok { //nolint:errorlint // each of the joined errors gets the position
		var all []error
		for _, one := range joined.Unwrap() {
			all = append(all, p.Wrap(one))
		}
		return errors.Join(all...)
	}
	var f *fault.Fault
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &f):
		return p.Fault(i18n.M("{{.Error}}", "Error", err.Error()))
	}
	c := *f
	c.Kind = fault.Invalid
	c.Reason = i18n.M("{{.File}}:{{.Line}}:{{.Column}}: {{.What}}", "File", p.File, "Line", p.Line, "Column", p.Column, "What", f.Reason)
	return &c
}

// baseDir returns the directory that the paths in a file are relative to. It is the directory of the file, or the
// working directory if the file is not a regular file, such as a pipe or /dev/stdin.
func baseDir(path string) string {
	dir := filepath.Dir(path)
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() || dir == "/dev" || dir == "/dev/fd" {
		return "."
	}
	return dir
}

// Read reads a file, which may be a pipe. Paths in it are relative to the directory of the file. getenv returns the
// values of variables; an empty value counts as unset. If the file can be read but has errors, the File contains its
// valid parts.
func Read(path string, getenv func(string) string) (File, error) {
	data, err := readFile(path)
	if err != nil {
		return File{}, err
	}
	return Parse(path, data, getenv)
}

func readFile(path string) ([]byte, error) {
	data, err := regular.ReadFileOrPipe(path, maxSize)
	if err != nil {
		if pe := (*os.PathError)(nil); errors.As(err, &pe) {
			err = pe.Err
		}
		return nil, fault.New(fault.Invalid, i18n.M("The file {{.Path}} cannot be read: {{.Error}}.", "Path", path, "Error", err),
			i18n.M("Specify a file that lists runtimes. Run 'ibmcloud fn-runtime apply --schema' to see its format."))
	}
	return data, nil
}

// Parse parses the text of a file. name is its path, for error messages and for relative paths. It reports up to
// maxFaults errors together, in the order of the file.
func Parse(name string, data []byte, getenv func(string) string) (File, error) {
	r := &reader{file: name, dir: baseDir(name), getenv: getenv}
	root := r.parse(data)
	f := File{Dir: r.dir}
	if root != nil {
		f.Runtimes = r.runtimes(root)
	}
	r.checkDuplicates(f.Runtimes)
	slices.SortStableFunc(r.faults, func(a, b locatedError) int {
		return cmp.Or(cmp.Compare(a.at.Line, b.at.Line), cmp.Compare(a.at.Column, b.at.Column))
	})
	var all []error
	for _, p := range r.faults[:min(len(r.faults), maxFaults)] {
		all = append(all, p.err)
	}
	return f, errors.Join(all...)
}

// checkDuplicates reports images that are declared twice with the same memory size, and images with a build that are
// declared twice at all. Otherwise, it would be undefined which declaration applies.
func (r *reader) checkDuplicates(list []Runtime) {
	for i, one := range list {
		for _, earlier := range list[:i] {
			if one.Image != "" && one.Image == earlier.Image && one.overlaps(earlier) {
				r.report(one.At, i18n.M("Image {{.Image}} is already declared on line {{.Line}}.", "Image", one.Image, "Line", earlier.At.Line))
				break
			}
		}
	}
}

// overlaps reports whether two declarations of an image conflict because one of them has a build, or because both may
// have the same memory size. The size of a declaration without a size is determined later and may be any.
func (rt Runtime) overlaps(other Runtime) bool {
	return rt.Build != nil || other.Build != nil || len(rt.MemoryMB) == 0 || len(other.MemoryMB) == 0 ||
		slices.ContainsFunc(rt.MemoryMB, func(mb int) bool { return slices.Contains(other.MemoryMB, mb) })
}
