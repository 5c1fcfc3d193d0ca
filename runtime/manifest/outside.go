package manifest

import "path/filepath"

// Outside returns the paths of the build that are outside of dir, the directory of the file, after resolving symbolic
// links. A file written by someone else must not silently send files from elsewhere to the build.
func (b *Build) Outside(dir string) (paths []string) {
	for _, path := range []string{b.Context, b.Dockerfile} {
		if path == "" {
			continue
		}
		if rel, err := filepath.Rel(resolvePath(dir), resolvePath(path)); err != nil || !filepath.IsLocal(rel) {
			paths = append(paths, path)
		}
	}
	return paths
}

// resolvePath returns a path with all symbolic links resolved. If the path does not exist, it resolves the existing
// part.
func resolvePath(path string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	if target, err := filepath.EvalSymlinks(abs); err == nil {
		return target
	}
	if dir := filepath.Dir(abs); dir != abs {
		return filepath.Join(resolvePath(dir), filepath.Base(abs))
	}
	return abs
}
