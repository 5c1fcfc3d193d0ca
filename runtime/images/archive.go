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

// ignoreFile is the file by which a context says what is left out.
const ignoreFile = ".dockerignore"

// archiveName is the name of the Dockerfile in an archive. One that is not among the entries gets a name made from its
// content: the same each time, so that a COPY of the whole folder stays cached.
func (f *folder) archiveName() (string, error) {
	if f.inside != "" {
		return f.inside, nil
	}
	data, err := regular.Read(f.dockerfile, maxDockerfile)
	if err != nil {
		return "", unreadable(f.dockerfile, err)
	}
	sum := sha256.Sum256(data)
	return ".dockerfile." + hex.EncodeToString(sum[:10]), nil
}

// write sends the folder as a tar archive, which is what the classic builder takes, with the Dockerfile under name.
// Owners are root and modes are as they are, like the Docker CLI does it; on Windows, which has no execute bit,
// everything is executable. A Dockerfile that is not among the entries must not get into the image: a .dockerignore that
// names both itself and the Dockerfile makes the engine take them out once they are read.
func (f *folder) write(ctx context.Context, w io.Writer, name string) error {
	t := tar.NewWriter(w)
	if f.inside == "" {
		info, err := os.Stat(f.dockerfile)
		if err != nil {
			return unreadable(f.dockerfile, err)
		}
		if err := add(t, f.dockerfile, entry{name, info}); err != nil {
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
		if (f.inside == "" || f.added != nil) && e.name == ignoreFile { // else the engine would leave out what is added
			continue
		}
		if err := add(t, filepath.Join(f.dir, filepath.FromSlash(e.name)), e); err != nil {
			return err
		}
	}
	if err := f.added.write(t); err != nil {
		return err
	}
	return t.Close()
}

func add(t *tar.Writer, source string, e entry) error {
	link := ""
	if e.info.Mode()&fs.ModeSymlink != 0 {
		var err error
		if link, err = os.Readlink(source); err != nil {
			return unreadable(source, err)
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
		return unreadable(source, err)
	}
	defer file.Close()
	if err := t.WriteHeader(h); err != nil {
		return err
	}
	// A file that grows is cut at the size that was announced; one that shrinks makes the archive fail.
	n, err := io.Copy(t, io.LimitReader(file, h.Size))
	if err == nil && n < h.Size {
		return unreadable(source, errors.New("it became shorter while it was read"))
	}
	return err
}
