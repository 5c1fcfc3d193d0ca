package lithops

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
	"time"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/regular"
)

// The bounds of a handler archive. That of 3.8.0 has 1.5 MB before and 0.4 MB after compression.
const (
	maxCode  = 48 << 20  // bytes of exec.code, in base64: OpenWhisk answers 413 beyond it
	maxRaw   = 512 << 20 // bytes before compression
	maxFiles = 20_000
	maxTree  = 64 // levels; a link to a folder above never ends
)

// Bundle is the handler archive of one Lithops installation.
type Bundle struct {
	Base64 string // the zip, as exec.code wants it
	SHA256 string // of what is in it, in hexadecimal: see BuildBundle
	Size   int64  // bytes of the zip
	Files  int
}

// fixedTime is the oldest time that a zip can hold.
var fixedTime = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

// BuildBundle makes the archive that the client would upload: __main__.py, which is the backend's entry_point.py, and
// the whole package below lithops/ (utils.py: create_handler_zip). Identical input gives identical bytes.
//
// SHA256 is the digest of a list with a line "digest  name" for each file in order, so it tells what is in the archive
// and stays the same when a compressor changes.
//
// Files are read one at a time. Links are followed, also out of the package, as the client does; a device or a pipe is
// refused.
func BuildBundle(ctx context.Context, install Install, backend Backend) (Bundle, error) {
	return buildBundle(ctx, install, backend, maxCode)
}

func buildBundle(ctx context.Context, install Install, backend Backend, limit int64) (Bundle, error) {
	entryPoint := path.Join("serverless", "backends", string(backend), "entry_point.py")
	t := tree{dir: install.Dir, flat: parseRelease(install.Version).before(3, 8, 0)}
	if err := t.walk(ctx, ".", 0); err != nil {
		return Bundle{}, err
	}
	if _, err := os.Stat(t.path(entryPoint)); err != nil {
		return Bundle{}, unreadable(t.path(entryPoint), err)
	}

	var code strings.Builder
	encoder := base64.NewEncoder(base64.StdEncoding, &code)
	count := &counter{to: encoder, limit: limit / 4 * 3}
	archive := zip.NewWriter(count)
	list := sha256.New()
	put := func(file, name string) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		digest, err := t.put(archive, file, name)
		if err == nil {
			fmt.Fprintf(list, "%x  %s\n", digest, name)
		}
		return err
	}
	err := put(entryPoint, "__main__.py")
	for _, f := range t.files {
		if err == nil {
			err = put(f, "lithops/"+f)
		}
	}
	err = errors.Join(err, archive.Close(), encoder.Close())
	if errors.Is(err, errTooLarge) {
		return Bundle{}, tooLarge(install.Dir, limit)
	}
	if err != nil {
		return Bundle{}, err
	}
	return Bundle{
		Base64: code.String(),
		SHA256: hex.EncodeToString(list.Sum(nil)),
		Size:   count.written,
		Files:  len(t.files) + 1,
	}, nil
}

// put copies one file into the archive and gives its digest.
func (t *tree) put(archive *zip.Writer, file, name string) ([]byte, error) {
	in, err := regular.Open(t.path(file))
	if err != nil {
		return nil, unreadable(t.path(file), err)
	}
	defer in.Close()
	header := &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: fixedTime}
	header.SetMode(0o644)
	out, err := archive.CreateHeader(header)
	if err != nil {
		return nil, err
	}
	digest := sha256.New()
	n, err := io.Copy(io.MultiWriter(out, digest), io.LimitReader(in, maxRaw-t.raw+1))
	if t.raw += n; t.raw > maxRaw {
		return nil, errTooLarge
	}
	if err != nil && !errors.Is(err, errTooLarge) {
		return nil, unreadable(t.path(file), err)
	}
	return digest.Sum(nil), err
}

var errTooLarge = errors.New("archive too large")

func tooLarge(dir string, limit int64) error {
	return fault.New(fault.TooLarge,
		i18n.M("The Lithops code in {{.Dir}} makes an archive of more than {{.Max}} MB, which OpenWhisk does not take.", "Dir", dir, "Max", limit>>20),
		i18n.M("Move data and other large files out of this folder, or install Lithops again."))
}

func unreadable(file string, err error) error {
	return fault.New(fault.Invalid,
		i18n.M("{{.Path}} cannot be read: {{.Error}}.", "Path", file, "Error", plain(err)),
		i18n.M("Install Lithops again with 'python3 -m pip install --force-reinstall lithops', or name another installation with '--lithops'.")).Because(err)
}

// counter passes on what is written, up to a limit.
type counter struct {
	to             io.Writer
	written, limit int64
}

func (c *counter) Write(p []byte) (int, error) {
	if c.written += int64(len(p)); c.written > c.limit {
		return 0, errTooLarge
	}
	return c.to.Write(p)
}
