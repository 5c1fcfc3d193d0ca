package lithops

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/base64"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fn-runtime/runtime/fault"
)

// FuzzBundle checks that packing and unpacking a package with a file of any name and content returns the same content
// under a name that every zip reader accepts, and that packing is reproducible.
func FuzzBundle(f *testing.F) {
	f.Add("worker/x.py", []byte("x"))
	f.Add(`a\..\..\x`, []byte("x"))
	f.Add("a/__pycache__/x", []byte{0})
	f.Add("x.zip", bytes.Repeat([]byte("PK\x05\x06"), 100))
	f.Add("\xff\n\x1b[2J/é", []byte{})
	f.Fuzz(func(t *testing.T, name string, content []byte) {
		if !filepath.IsLocal(name) || strings.ContainsRune(name, 0) || len(content) > 1<<20 {
			return
		}
		dir := t.TempDir()
		for file, text := range map[string]string{"version.py": "__version__ = '3.8.0'\n", "serverless/backends/ibm_cf/entry_point.py": "def main(args): pass\n"} {
			writeFuzzed(t, filepath.Join(dir, file), []byte(text))
		}
		path := filepath.Join(dir, filepath.Clean(name))
		if os.MkdirAll(filepath.Dir(path), 0o700) != nil || os.WriteFile(path, content, 0o600) != nil {
			return // not a file name, or one of the files above
		}
		in := Install{Dir: dir, Version: "3.8.0"}
		b, err := BuildBundle(context.Background(), in, IBMCF)
		if err != nil {
			if fault.KindOf(err) == "" {
				t.Errorf("got error %v, want a fault", err)
			}
			return
		}
		if again, err := BuildBundle(context.Background(), in, IBMCF); err != nil || again != b {
			t.Error("the second archive differs: ", err)
		}
		data, err := base64.StdEncoding.DecodeString(b.Base64)
		if err != nil {
			t.Fatal(err)
		}
		z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		want := "lithops/" + filepath.ToSlash(filepath.Clean(name))
		found, seen := false, map[string]bool{}
		for _, e := range z.File {
			if seen[e.Name] || !filepath.IsLocal(e.Name) || strings.Contains(e.Name, `\`) || !e.Mode().IsRegular() {
				t.Errorf("entry %q has mode %v", e.Name, e.Mode())
			}
			seen[e.Name] = true
			r, err := e.Open()
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(r) // verifies the checksum
			if err != nil {
				t.Fatal(err)
			}
			if e.Name == want {
				if found = true; !bytes.Equal(got, content) {
					t.Errorf("got content %q, want %q", got, content)
				}
			}
		}
		skipped := strings.Contains("/"+want+"/", "/__pycache__/") || strings.Contains("/"+want+"/", "/.pytest_cache/") || strings.HasSuffix(want, ".zip")
		if found == skipped {
			t.Errorf("entry %q exists: got %v, want %v", want, found, !skipped)
		}
		if len(z.File) != b.Files || int64(len(data)) != b.Size {
			t.Errorf("got bundle %+v for an archive of %d files and %d bytes", b, len(z.File), len(data))
		}
	})
}

func writeFuzzed(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// FuzzInstalled checks that any text in version.py, pyvenv.cfg and the cache file of a namespace results in a valid
// value or a fault, and that a namespace can be written and read again.
func FuzzInstalled(f *testing.F) {
	f.Add([]byte("__version__ = '3.8.0'\n"))
	f.Add([]byte("home = /x\nversion_info = 3.11.4.final.0\n"))
	f.Add([]byte("\n{\"python\": \"3.11\", \"executable\": \"/p\", \"lithops\": null}"))
	f.Add([]byte("namespace: n\nnamespace_id: &a [*a]\n"))
	f.Add([]byte("namespace_id: {a: 1}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		dir := t.TempDir()
		writeFuzzed(t, filepath.Join(dir, "version.py"), data)
		writeFuzzed(t, filepath.Join(dir, "__init__.py"), nil)
		writeFuzzed(t, filepath.Join(dir, "worker", "__init__.py"), nil)
		if v, err := readVersion(dir); err == nil && !versionOnly.MatchString(v) {
			t.Errorf("got invalid version %q", v)
		}
		if v := venvVersion(data); v != "" && !pythonVersion.MatchString(v) {
			t.Errorf("got invalid Python version %q", v)
		}
		c := Cache{Dir: dir}
		writeFuzzed(t, filepath.Join(dir, "ibm_cf", "n"+namespaceSuffix), data)
		ns, err := c.ReadNamespace(IBMCF, "n")
		if err != nil {
			if fault.KindOf(err) == "" {
				t.Errorf("got error %v, want a fault", err)
			}
			return
		}
		if err := c.WriteNamespace(IBMCF, ns); err != nil {
			t.Fatal(err)
		}
		if again, err := c.ReadNamespace(IBMCF, "n"); err != nil || again != ns {
			t.Errorf("got %q, %v after writing, want %q", again, err, ns)
		}
	})
}
