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

// Cache is the client's cache on this machine, ~/.lithops/cache. The client reads metadata from it before it looks
// into the bucket, and never asks whether it is still true. Files are written whole or not at all, for this user only.
type Cache struct {
	Dir string
}

// CacheDir is where the client keeps its cache, in every release (constants.py: CACHE_DIR).
func CacheDir(home string) string { return filepath.Join(home, ".lithops", "cache") }

// Path is the file of a metadata key; an error when the key would lead out of the cache.
func (c Cache) Path(key string) (string, error) {
	local := filepath.FromSlash(key)
	if !strings.HasPrefix(key, RuntimesPrefix) || !filepath.IsLocal(local) {
		return "", fault.New(fault.Invalid,
			i18n.M("'{{.Key}}' is not a metadata key.", "Key", key), i18n.Message{})
	}
	return filepath.Join(c.Dir, local), nil
}

// ReadMetadata reads a copy of metadata; fault.NotFound when there is none.
func (c Cache) ReadMetadata(key string) ([]byte, error) {
	path, err := c.Path(key)
	if err != nil {
		return nil, err
	}
	data, err := regular.Read(path, maxMetadata)
	return data, c.failed(path, err)
}

// WriteMetadata writes a copy of metadata.
func (c Cache) WriteMetadata(key string, data []byte) error {
	path, err := c.Path(key)
	if err != nil {
		return err
	}
	return c.write(path, data)
}

// RemoveMetadata removes a copy of metadata; nil when there is none.
func (c Cache) RemoveMetadata(key string) error {
	path, err := c.Path(key)
	if err != nil {
		return err
	}
	return c.remove(path)
}

// ReadNamespace reads what the client knows of a namespace by its name; fault.NotFound when that is nothing: no file,
// an empty one, or one without an id, all of which the client leaves behind.
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

// WriteNamespace notes the id of a namespace for the client.
func (c Cache) WriteNamespace(backend Backend, ns entity.Scope) error {
	path, err := c.namespacePath(backend, ns.Name)
	if err != nil {
		return err
	}
	return c.write(path, []byte("namespace: "+yamlText(ns.Name)+"\nnamespace_id: "+yamlText(ns.ID)+"\n"))
}

// ReadProject reads what the client knows of a project of Code Engine by its name; fault.NotFound when that is nothing.
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

// WriteProject notes a project for the client, as it does itself.
func (c Cache) WriteProject(p Project) error {
	path, err := c.namespacePath(CodeEngine, p.Name)
	if err != nil {
		return err
	}
	return c.write(path, []byte("namespace: "+yamlText(p.Namespace)+"\nproject_id: "+yamlText(p.ID)+"\nproject_name: "+yamlText(p.Name)+"\n"))
}

// readScopeFile reads the file of a namespace or project; one that is no YAML holds nothing.
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

// yamlText quotes what PyYAML would not read as a text.
func yamlText(s string) string {
	if pyyaml.KindOf(s) == pyyaml.Text && !strings.ContainsAny(s, ":#{}[],&*!|>'\"%@`\\\n\r\t ?") && !strings.HasPrefix(s, "-") && !strings.HasPrefix(s, "=") && !strings.HasPrefix(s, "<") {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}

// RemoveNamespace makes the client forget a namespace; nil when it did not know it.
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

// HasMetadata reports whether there is metadata of a backend, of any release.
func (c Cache) HasMetadata(backend Backend) bool {
	dirs, err := c.metadataDirs(backend)
	return err != nil || len(dirs) > 0
}

// RemoveAll removes all metadata of a backend, of every release.
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

// metadataDirs returns those that hold metadata of a backend.
func (c Cache) metadataDirs(backend Backend) (found []string, err error) {
	root := filepath.Join(c.Dir, filepath.FromSlash(RuntimesPrefix))
	dirs := []string{filepath.Join(root, string(backend))}
	entries, err := os.ReadDir(root)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, c.failed(root, err)
	}
	for _, e := range entries {
		if e.IsDir() && versionOnly.MatchString(e.Name()) { // 2.6.0 and older: the version comes first
			dirs = append(dirs, filepath.Join(root, e.Name(), string(backend)))
		}
	}
	for _, d := range dirs {
		if _, err := os.Lstat(d); err == nil {
			found = append(found, d)
		}
	}
	return found, nil
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
