package lithops

import (
	"archive/tar"
	"archive/zip"
	"errors"
	"io"
	"time"

	"github.com/ulikunitz/xz"
)

// packer writes an archive file by file.
type packer interface {
	// create starts a file with the given size in bytes.
	create(name string, size int64) (io.Writer, error)
	Close() error
}

// fixedTime is the oldest time that a zip file can store.
var fixedTime = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

const fileMode = 0o644

type zipPacker struct{ *zip.Writer }

func openZip(to io.Writer) (packer, error) { return zipPacker{zip.NewWriter(to)}, nil }

func (p zipPacker) create(name string, _ int64) (io.Writer, error) {
	header := &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: fixedTime}
	header.SetMode(fileMode)
	return p.CreateHeader(header)
}

type tarPacker struct {
	*tar.Writer
	compressed *xz.Writer
}

func openTar(to io.Writer) (packer, error) {
	compressed, err := xz.NewWriter(to)
	return tarPacker{tar.NewWriter(compressed), compressed}, err
}

func (p tarPacker) create(name string, size int64) (io.Writer, error) {
	return p, p.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: fileMode, ModTime: fixedTime})
}

// Close completes the archive.
func (p tarPacker) Close() error { return errors.Join(p.Writer.Close(), p.compressed.Close()) }
