package images

import (
	"archive/tar"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"

	"fn-runtime/runtime/regular"
)

// write sends the folder as a tar archive. Owners are root and modes are as they are, like the Docker CLI does it; on
// Windows, which has no execute bit, everything is executable.
func (f *folder) write(ctx context.Context, w io.Writer) error {
	t := tar.NewWriter(w)
	if f.outside {
		info, err := os.Stat(f.dockerfile)
		if err != nil {
			return unreadable(f.dockerfile, err)
		}
		if err := add(t, f.dockerfile, entry{f.name, info}); err != nil {
			return err
		}
	}
	for _, e := range f.entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := add(t, filepath.Join(f.dir, filepath.FromSlash(e.name)), e); err != nil {
			return err
		}
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
