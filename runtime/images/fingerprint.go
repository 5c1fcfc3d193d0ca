package images

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/regular"
)

// Fingerprint returns a hash of the inputs of an image, without an engine. The hash is the SHA-256, in hexadecimal, of
// the names, modes and contents of the files in the context, of the Dockerfile, and of the build's arguments, labels,
// target and platform. It does not cover anything that the Dockerfile downloads, including its base image.
func (b *Builder) Fingerprint(ctx context.Context, spec entity.ImageBuild) (string, error) {
	f, err := openContext(spec.Context, spec.Dockerfile)
	if err != nil {
		return "", err
	}
	if err := b.checkSize(f); err != nil {
		return "", err
	}
	name, err := f.archiveName() // outside the context: derived from its content
	if err != nil {
		return "", err
	}
	if err := f.addExtraFile(ctx, spec.ExtraFile); err != nil {
		return "", err
	}
	sum := sha256.New()
	fmt.Fprintf(sum, "platform %q\ndockerfile %q\n", spec.Platform, name)
	for _, name := range slices.Sorted(maps.Keys(spec.Args)) {
		fmt.Fprintf(sum, "argument %q %q\n", name, spec.Args[name])
	}
	for _, key := range slices.Sorted(maps.Keys(spec.Labels)) {
		fmt.Fprintf(sum, "label %q %q\n", key, spec.Labels[key])
	}
	if spec.Target != "" {
		fmt.Fprintf(sum, "target %q\n", spec.Target)
	}
	if f.extra != nil {
		fmt.Fprintf(sum, "added %q %x\n", f.extra.name, sha256.Sum256(f.extra.data))
	}
	for _, e := range f.entries {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		if err := fingerprint(sum, filepath.Join(f.dir, filepath.FromSlash(e.name)), e); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

func fingerprint(sum hash.Hash, source string, e entry) error {
	mode := e.info.Mode()
	fmt.Fprintf(sum, "entry %q %s %o\n", e.name, mode.Type(), mode.Perm())
	switch {
	case mode&fs.ModeSymlink != 0:
		link, err := os.Readlink(source)
		if err != nil {
			return readFault(source, err)
		}
		fmt.Fprintf(sum, "link %q\n", link)
	case mode.IsRegular():
		file, err := regular.Open(source)
		if err != nil {
			return readFault(source, err)
		}
		defer file.Close()
		content := sha256.New()
		if _, err := io.Copy(content, file); err != nil {
			return readFault(source, err)
		}
		fmt.Fprintf(sum, "content %x\n", content.Sum(nil))
	}
	return nil
}
