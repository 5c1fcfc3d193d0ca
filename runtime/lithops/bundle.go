package lithops

import (
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

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/regular"
)

// The limits of a code archive. The archive of Lithops 3.8.0 has 2.6 MB before and 0.7 MB after compression, and 0.5 MB
// as tar.xz.
const (
	maxCode  = 48 << 20   // bytes of exec.code, in Base64; OpenWhisk responds with 413 to larger values
	maxMap   = 1<<20 - 64 // bytes of the value of a config map, in Base64; its key counts toward the limit
	maxRaw   = 512 << 20  // bytes before compression
	maxFiles = 20_000
	maxTree  = 64 // directory levels; a link to a parent directory would never end
)

// Bundle is the code of one Lithops installation.
type Bundle struct {
	Base64 string // the archive, in the form of exec.code or of a config map value
	SHA256 string // digest of the contents, in hexadecimal; see BuildBundle
	Size   int64  // size of the archive in bytes
	Files  int
}

// BuildBundle builds the code archive with which the runtimes of a backend are registered. For OpenWhisk, the archive
// is the zip file that the client would upload. For Code Engine, it is a tar.xz file that fits into a config map and
// that Bootstrap unpacks. The archive contains the backend's entry_point.py, under the name that the runtime starts,
// and the Lithops package in lithops/ (utils.py: create_handler_zip). Identical input results in identical bytes.
//
// SHA256 is the digest of a list that contains a line "digest  name" for each file, in order. It depends only on the
// contents of the archive and does not change with the compressor.
//
// BuildBundle reads one file at a time. Like the client, it follows links, including links to files outside the
// package. It returns an error for a device or a pipe.
func BuildBundle(ctx context.Context, install Install, backend Backend) (Bundle, error) {
	if backend == CodeEngine {
		return buildBundle(ctx, install, jobFormat)
	}
	return buildBundle(ctx, install, format{entry: "__main__.py", backend: backend, open: openZip, limit: maxCode})
}

// ImageArchive is the name of the archive that a Dockerfile for Code Engine copies into the image.
const ImageArchive = "lithops_codeengine.zip"

// BuildImageArchive builds the ImageArchive like the client.
func BuildImageArchive(ctx context.Context, install Install) ([]byte, error) {
	if install.Dir == "" {
		return nil, fault.New(fault.NotFound, i18n.M("The image must contain the Lithops code, but Lithops was not found."),
			i18n.M("Install Python 3 and Lithops, or specify an interpreter with '--python'."))
	}
	f := jobFormat
	f.open, f.limit = openZip, maxCode
	b, err := buildBundle(ctx, install, f)
	if err != nil {
		return nil, err
	}
	return base64.StdEncoding.DecodeString(b.Base64)
}

// format is an archive format.
type format struct {
	entry   string // name of the entry point in the archive
	backend Backend
	open    func(io.Writer) (packer, error)
	limit   int64 // bytes in Base64
}

var jobFormat = format{entry: jobEntryName, backend: CodeEngine, open: openTar, limit: maxMap}

func buildBundle(ctx context.Context, install Install, f format) (Bundle, error) {
	entryPoint := path.Join("serverless", "backends", string(f.backend), "entry_point.py")
	t := tree{dir: install.Dir, flat: parseRelease(install.Version).before(3, 8, 0)}
	if err := t.walk(ctx, ".", 0); err != nil {
		return Bundle{}, err
	}
	if _, err := os.Stat(t.path(entryPoint)); err != nil {
		return Bundle{}, unreadable(t.path(entryPoint), err)
	}

	var code strings.Builder
	encoder := base64.NewEncoder(base64.StdEncoding, &code)
	count := &counter{to: encoder, limit: f.limit / 4 * 3}
	archive, err := f.open(count)
	if err != nil {
		return Bundle{}, err
	}
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
	err = put(entryPoint, f.entry)
	for _, file := range t.files {
		if err == nil {
			err = put(file, "lithops/"+file)
		}
	}
	err = errors.Join(err, archive.Close(), encoder.Close())
	if errors.Is(err, errTooLarge) {
		return Bundle{}, f.tooLarge(install.Dir)
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

// put copies a file into the archive and returns its digest.
func (t *tree) put(archive packer, file, name string) ([]byte, error) {
	in, err := regular.Open(t.path(file))
	if err != nil {
		return nil, unreadable(t.path(file), err)
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return nil, unreadable(t.path(file), err)
	}
	out, err := archive.create(name, info.Size())
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

func (f format) tooLarge(dir string) error {
	reason := i18n.M("The Lithops code in {{.Dir}} results in an archive of more than {{.Max}} MB, which is the limit for a runtime.", "Dir", dir, "Max", f.limit>>20)
	if f.limit == maxMap {
		reason = i18n.M("The Lithops code in {{.Dir}} exceeds the size limit for a Code Engine config map, which is 1 MB.", "Dir", dir)
	}
	return fault.New(fault.TooLarge, reason,
		i18n.M("Move data and other large files out of this directory, or reinstall Lithops."))
}

func unreadable(file string, err error) error {
	return fault.New(fault.Invalid,
		i18n.M("{{.Path}} cannot be read: {{.Error}}.", "Path", file, "Error", plain(err)),
		i18n.M("Reinstall Lithops with 'python3 -m pip install --force-reinstall lithops', or specify another installation with '--lithops'.")).Because(err)
}

// counter counts the bytes that it passes on and fails beyond a limit.
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
