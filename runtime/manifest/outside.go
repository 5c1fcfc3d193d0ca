package manifest

import "path/filepath"

// Outside returns the folders and Dockerfiles of the build that lie outside of a folder, that of the file. Links count as
// what they lead to: a file that somebody else wrote must not have anything sent from elsewhere without a word.
func (b *Build) Outside(dir string) (paths []string) {
	for _, path := range []string{b.Context, b.Dockerfile} {
		if path == "" {
			continue
		}
		if rel, err := filepath.Rel(resolved(dir), resolved(path)); err != nil || !filepath.IsLocal(rel) {
			paths = append(paths, path)
		}
	}
	return paths
}

// resolved is where a path leads to; of one that is not there, its beginning is looked up as far as it is.
func resolved(path string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	if target, err := filepath.EvalSymlinks(abs); err == nil {
		return target
	}
	if dir := filepath.Dir(abs); dir != abs {
		return filepath.Join(resolved(dir), filepath.Base(abs))
	}
	return abs
}
