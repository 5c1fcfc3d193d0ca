package resource

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// Pack returns the resource files of a directory as a zip archive. The archive is identical for identical files.
func Pack(dir string) ([]byte, error) {
	files, err := filepath.Glob(filepath.Join(dir, "all.*.json"))
	if err != nil {
		return nil, err
	}
	slices.Sort(files)
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestCompression) })
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		w, err := z.Create(filepath.Base(path))
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(data); err != nil {
			return nil, err
		}
	}
	err = z.Close()
	return out.Bytes(), err
}
