package lithops

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"fn-runtime/i18n"
	"fn-runtime/runtime/atomicfile"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops/pyyaml"
	"fn-runtime/runtime/regular"
)

// Cache is the client's cache on this machine, ~/.lithops/cache. The client reads metadata from the cache before it
// reads the bucket, and never checks whether a cached copy is up to date. Files are written atomically and are
// accessible only to the current user.
type Cache struct {
	Dir string
}

// CacheDir returns the directory of the client's cache. It is the same in every release (constants.py: CACHE_DIR).
func CacheDir(home string) string { return filepath.Join(home, ".lithops", "cache") }

// Path returns the path of the file for a metadata key. It returns an error if the path would be outside the cache.
func (c Cache) Path(key string) (string, error) {
	local := filepath.FromSlash(key)
	if !strings.HasPrefix(key, RuntimesPrefix) || !filepath.IsLocal(local) {
		return "", fault.New(fault.Invalid,
			i18n.M("'{{.Key}}' is not a metadata key.", "Key", key), i18n.Message{})
	}
	return filepath.Join(c.Dir, local), nil
}

// ReadMetadata reads the cached copy of a metadata object. It returns a fault.NotFound error if there is none.
func (c Cache) ReadMetadata(key string) ([]byte, error) {
	path, err := c.Path(key)
	if err != nil {
		return nil, err
	}
	data, err := regular.Read(path, maxMetadata)
	return data, c.failed(path, err)
}

// WriteMetadata writes the cached copy of a metadata object.
func (c Cache) WriteMetadata(key string, data []byte) error {
	path, err := c.Path(key)
	if err != nil {
		return err
	}
	return c.write(path, data)
}

// RemoveMetadata removes the cached copy of a metadata object. It returns nil if there is none.
func (c Cache) RemoveMetadata(key string) error {
	path, err := c.Path(key)
	if err != nil {
		return err
	}
	return c.remove(path)
}

// ReadNamespace reads the ID that the client cached for a namespace name. It returns a fault.NotFound error if the file
// does not exist, is empty or contains no ID. The client may leave the file in any of these states.
func (c Cache) ReadNamespace(backend Backend, name string) (entity.Scope, error) {
	root, path, err := c.readScopeFile(backend, name)
	if err != nil {
		return entity.Scope{}, err
	}
	id := root.Get("namespace_id").Scalar()
	if id == "" {
		return entity.Scope{}, c.failed(path, fs.ErrNotExist)
	}
	return entity.Scope{ID: id, Name: name}, nil
}

// WriteNamespace stores the ID of a namespace for the client.
func (c Cache) WriteNamespace(backend Backend, ns entity.Scope) error {
	path, err := c.namespacePath(backend, ns.Name)
	if err != nil {
		return err
	}
	return c.write(path, []byte("namespace: "+yamlText(ns.Name)+"\nnamespace_id: "+yamlText(ns.ID)+"\n"))
}

// ReadProject reads the Code Engine project that the client cached for a project name. It returns a fault.NotFound
// error if nothing is cached.
func (c Cache) ReadProject(name string) (Project, error) {
	root, path, err := c.readScopeFile(CodeEngine, name)
	if err != nil {
		return Project{}, err
	}
	p := Project{Name: name, ID: root.Get("project_id").Scalar(), Namespace: root.Get("namespace").Scalar()}
	if p.ID == "" && p.Namespace == "" {
		return Project{}, c.failed(path, fs.ErrNotExist)
	}
	return p, nil
}

// WriteProject stores a project in the format of the client.
func (c Cache) WriteProject(p Project) error {
	path, err := c.namespacePath(CodeEngine, p.Name)
	if err != nil {
		return err
	}
	return c.write(path, []byte("namespace: "+yamlText(p.Namespace)+"\nproject_id: "+yamlText(p.ID)+"\nproject_name: "+yamlText(p.Name)+"\n"))
}

// readScopeFile reads the file of a namespace or project. It returns a fault.NotFound error if the file does not exist
// or is not valid YAML.
func (c Cache) readScopeFile(backend Backend, name string) (root *pyyaml.Node, path string, err error) {
	if path, err = c.namespacePath(backend, name); err != nil {
		return nil, path, err
	}
	data, err := regular.Read(path, maxSmallFile)
	if err != nil {
		return nil, path, c.failed(path, err)
	}
	if root, err = pyyaml.Parse(data); err != nil {
		err = c.failed(path, fs.ErrNotExist)
	}
	return root, path, err
}

// yamlText returns s as a YAML scalar. It adds quotes if PyYAML would not read s as a string otherwise.
func yamlText(s string) string {
	if pyyaml.KindOf(s) == pyyaml.Text && !strings.ContainsAny(s, ":#{}[],&*!|>'\"%@`\\\n\r\t ?") && !strings.HasPrefix(s, "-") && !strings.HasPrefix(s, "=") && !strings.HasPrefix(s, "<") {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}

// RemoveNamespace removes the file of a namespace. It returns nil if there is none.
func (c Cache) RemoveNamespace(backend Backend, name string) error {
	path, err := c.namespacePath(backend, name)
	if err != nil {
		return err
	}
	return c.remove(path)
}

func (c Cache) namespacePath(backend Backend, name string) (string, error) {
	local := filepath.Join(string(backend), name+namespaceSuffix)
	if name == "" || strings.ContainsAny(name, `/\`) || !filepath.IsLocal(local) {
		return "", fault.New(fault.Invalid,
			i18n.M("'{{.Name}}' is not a valid namespace name.", "Name", name), i18n.Message{})
	}
	return filepath.Join(c.Dir, local), nil
}

// HasMetadata reports whether the cache contains metadata of a backend, for any release. It returns true if the cache
// cannot be read.
func (c Cache) HasMetadata(backend Backend) bool {
	dirs, err := c.metadataDirs(backend)
	return err != nil || len(dirs) > 0
}

// RemoveAll removes all metadata of a backend, for every release.
func (c Cache) RemoveAll(backend Backend) error {
	dirs, err := c.metadataDirs(backend)
	failed := []error{err}
	for _, d := range dirs {
		if err := os.RemoveAll(d); err != nil {
			failed = append(failed, c.failed(d, err))
		}
	}
	return errors.Join(failed...)
}

// metadataDirs returns the existing directories with metadata of a backend.
func (c Cache) metadataDirs(backend Backend) (existing []string, err error) {
	root := filepath.Join(c.Dir, filepath.FromSlash(RuntimesPrefix))
	dirs := []string{filepath.Join(root, string(backend))}
	entries, err := os.ReadDir(root)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, c.failed(root, err)
	}
	for _, e := range entries {
		if e.IsDir() && versionOnly.MatchString(e.Name()) { // up to 2.6.0, the version precedes the backend
			dirs = append(dirs, filepath.Join(root, e.Name(), string(backend)))
		}
	}
	for _, d := range dirs {
		if _, err := os.Lstat(d); err == nil {
			existing = append(existing, d)
		}
	}
	return existing, nil
}

func (c Cache) write(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return c.failed(filepath.Dir(path), err)
	}
	return c.failed(path, atomicfile.Write(path, data))
}

func (c Cache) remove(path string) error {
	return c.failed(path, atomicfile.Remove(path))
}

func (c Cache) failed(path string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return fault.New(fault.NotFound, i18n.M("{{.Path}} does not exist.", "Path", path), i18n.Message{}).Because(err)
	}
	return fault.New(fault.Failed,
		i18n.M("The Lithops cache {{.Path}} cannot be used: {{.Error}}.", "Path", path, "Error", plain(err)),
		i18n.M("Check that you can read and write it and that its disk has free space.")).Because(err)
}
