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

// extraFile is a file at the top of a build context that does not exist in the directory.
type extraFile struct {
	name string
	data []byte
}

// extraFileTime is the constant modification time of an extra file, so that a build stays cached.
var extraFileTime = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

const extraFileMode = 0o644

// addExtraFile creates the extra file if the Dockerfile mentions its name. It replaces a file of the same name in the
// directory.
func (f *buildContext) addExtraFile(ctx context.Context, file *entity.BuildFile) error {
	if file == nil {
		return nil
	}
	dockerfile, err := regular.Read(f.dockerfile, maxDockerfile)
	if err != nil {
		return readFault(f.dockerfile, err)
	}
	if !bytes.Contains(dockerfile, []byte(file.Name)) {
		return nil
	}
	data, err := file.Make(ctx)
	if err != nil {
		return err
	}
	f.extra = &extraFile{file.Name, data}
	f.entries = slices.DeleteFunc(f.entries, func(e entry) bool { return e.name == file.Name })
	return nil
}

// insert adds the file at the position where a walk of the directory would have found it.
func (x *extraFile) insert(files []buildkit.File) []buildkit.File {
	if x == nil {
		return files
	}
	index := slices.IndexFunc(files, func(f buildkit.File) bool {
		top, _, _ := strings.Cut(f.Path, "/")
		return top > x.name
	})
	if index < 0 {
		index = len(files)
	}
	return slices.Insert(files, index, buildkit.File{Path: x.name, Mode: extraFileMode, Size: int64(len(x.data)), ModTime: extraFileTime.UnixNano(),
		Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(x.data)), nil }})
}

func (x *extraFile) write(t *tar.Writer) error {
	if x == nil {
		return nil
	}
	if err := t.WriteHeader(&tar.Header{Name: x.name, Mode: extraFileMode, Size: int64(len(x.data)), ModTime: extraFileTime}); err != nil {
		return err
	}
	_, err := t.Write(x.data)
	return err
}
