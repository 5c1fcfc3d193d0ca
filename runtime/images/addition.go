package images

import (
	"archive/tar"
	"bytes"
	"context"
	"io"
	"slices"
	"strings"
	"time"

	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/images/buildkit"
	"fn-runtime/runtime/regular"
)

// addition is a file at the top of a context that is not in the folder.
type addition struct {
	name string
	data []byte
}

// additionTime is when an addition was last changed: never, so that a build stays cached.
var additionTime = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

const additionMode = 0o644

// add makes a file that the Dockerfile names. One of that name in the folder is not sent.
func (f *folder) add(ctx context.Context, file *entity.BuildFile) error {
	if file == nil {
		return nil
	}
	dockerfile, err := regular.Read(f.dockerfile, maxDockerfile)
	if err != nil {
		return unreadable(f.dockerfile, err)
	}
	if !bytes.Contains(dockerfile, []byte(file.Name)) {
		return nil
	}
	data, err := file.Make(ctx)
	if err != nil {
		return err
	}
	f.added = &addition{file.Name, data}
	f.entries = slices.DeleteFunc(f.entries, func(e entry) bool { return e.name == file.Name })
	return nil
}

// among puts the addition where a walk of the folder would have met it.
func (a *addition) among(files []buildkit.File) []buildkit.File {
	if a == nil {
		return files
	}
	at := slices.IndexFunc(files, func(f buildkit.File) bool {
		top, _, _ := strings.Cut(f.Path, "/")
		return top > a.name
	})
	if at < 0 {
		at = len(files)
	}
	return slices.Insert(files, at, buildkit.File{Path: a.name, Mode: additionMode, Size: int64(len(a.data)), ModTime: additionTime.UnixNano(),
		Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(a.data)), nil }})
}

func (a *addition) write(t *tar.Writer) error {
	if a == nil {
		return nil
	}
	if err := t.WriteHeader(&tar.Header{Name: a.name, Mode: additionMode, Size: int64(len(a.data)), ModTime: additionTime}); err != nil {
		return err
	}
	_, err := t.Write(a.data)
	return err
}
