package images

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"

	"fn-runtime/runtime/regular"
)

// ignoreFile is the name of the file with patterns of excluded files.
const ignoreFile = ".dockerignore"

// archiveName returns the name of the Dockerfile in an archive. If the Dockerfile is not among the entries, the name is
// derived from its content, so that it stays constant and a COPY of the whole directory stays cached.
func (f *buildContext) archiveName() (string, error) {
	if f.dockerfileEntry != "" {
		return f.dockerfileEntry, nil
	}
	data, err := regular.Read(f.dockerfile, maxDockerfile)
	if err != nil {
		return "", readFault(f.dockerfile, err)
	}
	sum := sha256.Sum256(data)
	return ".dockerfile." + hex.EncodeToString(sum[:10]), nil
}

// write writes the context as a tar archive for the classic builder, with the Dockerfile under name. As in the Docker
// CLI, the owner is root and modes are unchanged. On Windows, which has no execute bit, all files are executable. If
// the Dockerfile is not among the entries, it must not get into the image: write adds a .dockerignore that lists itself
// and the Dockerfile, so that the engine removes both after reading them.
func (f *buildContext) write(ctx context.Context, w io.Writer, name string) error {
	t := tar.NewWriter(w)
	if f.dockerfileEntry == "" {
		info, err := os.Stat(f.dockerfile)
		if err != nil {
			return readFault(f.dockerfile, err)
		}
		if err := addEntry(t, f.dockerfile, entry{name, info}); err != nil {
			return err
		}
		ignore := []byte(ignoreFile + "\n" + name + "\n")
		if err := t.WriteHeader(&tar.Header{Name: ignoreFile, Mode: 0o644, Size: int64(len(ignore))}); err != nil {
			return err
		}
		if _, err := t.Write(ignore); err != nil {
			return err
		}
	}
	for _, e := range f.entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		if (f.dockerfileEntry == "" || f.extra != nil) && e.name == ignoreFile { // the file could exclude the added files
			continue
		}
		if err := addEntry(t, filepath.Join(f.dir, filepath.FromSlash(e.name)), e); err != nil {
			return err
		}
	}
	if err := f.extra.write(t); err != nil {
		return err
	}
	return t.Close()
}

// addEntry writes the file at source to the archive, as the given entry.
func addEntry(t *tar.Writer, source string, e entry) error {
	link := ""
	if e.info.Mode()&fs.ModeSymlink != 0 {
		var err error
		if link, err = os.Readlink(source); err != nil {
			return readFault(source, err)
		}
	}
	h, err := tar.FileInfoHeader(e.info, filepath.ToSlash(link))
	if err != nil {
		return err
	}
	h.Name, h.Uid, h.Gid, h.Uname, h.Gname = path.Clean(e.name), 0, 0, "", ""
	if e.info.IsDir() {
		h.Name += "/"
	}
	if runtime.GOOS == "windows" {
		h.Mode |= 0o755
	}
	if !e.info.Mode().IsRegular() {
		return t.WriteHeader(h)
	}
	file, err := regular.Open(source)
	if err != nil {
		return readFault(source, err)
	}
	defer file.Close()
	if err := t.WriteHeader(h); err != nil {
		return err
	}
	// A file that grows is cut at its announced size. A file that shrinks makes the archive fail.
	n, err := io.Copy(t, io.LimitReader(file, h.Size))
	if err == nil && n < h.Size {
		return readFault(source, errors.New("the file shrank while it was read"))
	}
	return err
}
