package images

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fn-runtime/runtime/fault"
)

// FuzzContext sends a directory with a file and a link of any name, content and target, with any .dockerignore, and
// reads the archive. Names stay inside the directory, contents are complete, and a link is sent as a link rather than
// as its target.
func FuzzContext(f *testing.F) {
	f.Add("sub/file", []byte("text"), "link", "/etc/passwd", "")
	f.Add("a", []byte{}, "b", "../../../etc", "*\n!a\n")
	f.Add(strings.Repeat("d/", 60)+"x", []byte("x"), strings.Repeat("l", 200), strings.Repeat("t", 300), "**/x\n")
	f.Add("\xff\n\x1b[2J", []byte("x"), "é", "\xff", "!\n[a\n#x\n../x\n")
	f.Add("Dockerfile", []byte("FROM x"), ".dockerignore.x", ".", "Dockerfile\n")
	f.Fuzz(func(t *testing.T, name string, content []byte, link, target, ignore string) {
		if !filepath.IsLocal(name) || !filepath.IsLocal(link) || strings.ContainsRune(name+link+target, 0) || len(content) > 1<<20 {
			return
		}
		dir := t.TempDir()
		for file, text := range map[string][]byte{"Dockerfile": []byte("FROM a"), ".dockerignore": []byte(ignore), name: content} {
			path := filepath.Join(dir, file)
			if os.MkdirAll(filepath.Dir(path), 0o700) != nil || os.WriteFile(path, text, 0o600) != nil {
				return // not a valid file name
			}
		}
		if data, err := os.ReadFile(filepath.Join(dir, ".dockerignore")); err != nil || string(data) != ignore {
			return // the file under test replaced it
		}
		if os.MkdirAll(filepath.Join(dir, filepath.Dir(link)), 0o700) != nil || os.Symlink(target, filepath.Join(dir, link)) != nil {
			return
		}
		c, err := openContext(dir, "")
		if err != nil {
			if fault.KindOf(err) == "" {
				t.Errorf("%v is not a fault", err)
			}
			return
		}
		archived, err := c.archiveName()
		if err != nil {
			t.Fatal(err)
		}
		var sent bytes.Buffer
		if err := c.write(context.Background(), &sent, archived); err != nil {
			if _, ok := errors.AsType[*fault.Fault](err); !ok {
				t.Errorf("%v is not a fault", err)
			}
			return
		}
		dockerfile := false
		for r := tar.NewReader(&sent); ; {
			h, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			data, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			entryName := strings.TrimSuffix(h.Name, "/")
			if !filepath.IsLocal(entryName) || h.Uid != 0 || h.Gid != 0 || h.Uname != "" {
				t.Errorf("entry %q is owned by %d:%d", h.Name, h.Uid, h.Gid)
			}
			dockerfile = dockerfile || h.Name == archived
			if c.dockerfileEntry == "" && h.Name == ignoreFile {
				continue // generated for the engine
			}
			onDisk := filepath.Join(dir, filepath.FromSlash(entryName))
			info, err := os.Lstat(onDisk)
			if err != nil && c.dockerfileEntry != "" {
				t.Errorf("%q is not in the directory: %v", h.Name, err)
			}
			switch {
			case err != nil:
			case info.Mode()&fs.ModeSymlink != 0:
				if to, _ := os.Readlink(onDisk); h.Typeflag != tar.TypeSymlink || h.Linkname != to || len(data) > 0 {
					t.Errorf("the link %q was sent as %q to %q with %d bytes", h.Name, h.Typeflag, h.Linkname, len(data))
				}
			case info.Mode().IsRegular():
				if want, _ := os.ReadFile(onDisk); h.Typeflag != tar.TypeReg || !bytes.Equal(want, data) {
					t.Errorf("%q was sent as %q", h.Name, data)
				}
			}
		}
		if !dockerfile {
			t.Errorf("the Dockerfile %q was not sent", archived)
		}
	})
}
