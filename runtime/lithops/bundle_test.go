package lithops

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"fn-runtime/runtime/fault"
)

func unpack(t *testing.T, b Bundle) map[string]string {
	t.Helper()
	data, err := base64.StdEncoding.DecodeString(b.Base64)
	if err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		files[f.Name] = string(text)
	}
	return files
}

func build(t *testing.T, in Install, b Backend) Bundle {
	t.Helper()
	bundle, err := BuildBundle(context.Background(), in, b)
	if err != nil {
		t.Fatal(err)
	}
	return bundle
}

func TestBundleIsIdenticalForIdenticalInput(t *testing.T) {
	one := Install{Dir: fakePackage(t, filepath.Join(t.TempDir(), "lithops"), "3.8.0"), Version: "3.8.0"}
	two := Install{Dir: fakePackage(t, filepath.Join(t.TempDir(), "lithops"), "3.8.0"), Version: "3.8.0"}
	old := time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)
	if err := os.Chtimes(filepath.Join(two.Dir, "version.py"), old, old); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(two.Dir, "version.py"), 0o600); err != nil {
		t.Fatal(err)
	}
	a, b := build(t, one, IBMCF), build(t, two, IBMCF)
	if a != b {
		t.Error("identical files result in different archives")
	}
	if c := build(t, one, OpenWhisk); c.SHA256 == a.SHA256 || unpack(t, c)["__main__.py"] != "ow\n" {
		t.Error("the archive does not contain the entry point of openwhisk, or its digest is unchanged")
	}
	writeFile(t, filepath.Join(two.Dir, "version.py"), "__version__ = '3.8.1'\n", 0o644)
	if c := build(t, two, IBMCF); c.SHA256 == a.SHA256 {
		t.Error("different files result in the same digest")
	}
}

func TestBundleOmitsSameFilesAsClient(t *testing.T) {
	in := Install{Dir: fakePackage(t, filepath.Join(t.TempDir(), "lithops"), "3.8.0"), Version: "3.8.0"}
	writeFile(t, filepath.Join(in.Dir, "left.zip"), "x", 0o644)
	writeFile(t, filepath.Join(in.Dir, ".pytest_cache", "x"), "x", 0o644)
	if err := os.Symlink("version.py", filepath.Join(in.Dir, "linked.py")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("gone", filepath.Join(in.Dir, ".#lock")); err != nil {
		t.Fatal(err)
	}
	names := func(version string) []string {
		in.Version = version
		var list []string
		for n := range unpack(t, build(t, in, IBMCF)) {
			list = append(list, n)
		}
		slices.Sort(list)
		return list
	}
	now := names("3.8.0")
	want := []string{"__main__.py", "lithops/__init__.py", "lithops/linked.py", "lithops/serverless/backends/ibm_cf/entry_point.py",
		"lithops/serverless/backends/openwhisk/entry_point.py", "lithops/version.py", "lithops/worker/__init__.py"}
	if !slices.Equal(now, want) {
		t.Errorf("got the files %v, want %v", now, want)
	}
	if before := names("3.7.0"); len(before) != len(want)+2 {
		t.Errorf("before 3.8.0, got the files %v, want %d", before, len(want)+2)
	}
}

// With UV_LINK_MODE=symlink, uv creates packages that consist of links. Directories may be links too.
func TestBundleFollowsLinksOutOfThePackage(t *testing.T) {
	cache := fakePackage(t, filepath.Join(t.TempDir(), "lithops"), "3.8.0")
	linked := filepath.Join(t.TempDir(), "lithops")
	if err := os.Mkdir(linked, 0o755); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(cache)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if err := os.Symlink(filepath.Join(cache, e.Name()), filepath.Join(linked, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	want := build(t, Install{Dir: cache, Version: "3.8.0"}, IBMCF)
	if got := build(t, Install{Dir: linked, Version: "3.8.0"}, IBMCF); got != want {
		t.Errorf("got digest %s of %d files, want %s of %d", got.SHA256, got.Files, want.SHA256, want.Files)
	}
	if v, err := readVersion(linked); err != nil || v != "3.8.0" {
		t.Errorf("got version %q, %v", v, err)
	}
}

func TestBuildBundleErrors(t *testing.T) {
	for name, damage := range map[string]func(dir string) error{
		"device": func(d string) error { return os.Symlink("/dev/zero", filepath.Join(d, "x.py")) },
		"loop":   func(d string) error { return os.Symlink(".", filepath.Join(d, "x")) },
		"socket": func(d string) error {
			l, err := net.Listen("unix", filepath.Join(d, "s"))
			if err == nil {
				t.Cleanup(func() { _ = l.Close() })
			}
			return err
		},
		"no entry point": func(d string) error { return os.Remove(filepath.Join(d, "serverless/backends/ibm_cf/entry_point.py")) },
		"no directory":   func(d string) error { return os.RemoveAll(d) },
		"too large": func(d string) error {
			return os.WriteFile(filepath.Join(d, "data"), []byte(randomText(1<<20)), 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir, err := os.MkdirTemp("", "b") // a short path, because the path length of sockets is limited
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = os.RemoveAll(dir) })
			in := Install{Dir: fakePackage(t, filepath.Join(dir, "lithops"), "3.8.0"), Version: "3.8.0"}
			if err := damage(in.Dir); err != nil {
				t.Fatal(err)
			}
			b, err := buildBundle(context.Background(), in, format{entry: "__main__.py", backend: IBMCF, open: openZip, limit: 1 << 20})
			if k := fault.KindOf(err); k != fault.Invalid && k != fault.TooLarge || b != (Bundle{}) {
				t.Errorf("got %v, %+v, want no bundle, and %s or %s", err, b, fault.Invalid, fault.TooLarge)
			}
		})
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	in := Install{Dir: fakePackage(t, filepath.Join(t.TempDir(), "lithops"), "3.8.0"), Version: "3.8.0"}
	if _, err := BuildBundle(ctx, in, IBMCF); !fault.Is(err, fault.Interrupted) {
		t.Errorf("after cancellation: %v", err)
	}
}

func BenchmarkBundle(b *testing.B) {
	dir := os.Getenv("FN_RUNTIME_LITHOPS")
	if dir == "" {
		b.Skip("FN_RUNTIME_LITHOPS is not set")
	}
	for b.Loop() {
		if _, err := BuildBundle(context.Background(), Install{Dir: dir, Version: "3.8.0"}, IBMCF); err != nil {
			b.Fatal(err)
		}
	}
}

func randomText(size int) string {
	data := make([]byte, size)
	_, _ = rand.Read(data)
	return string(data)
}

func TestTooLargeErrorContainsLimit(t *testing.T) {
	for _, tc := range []struct {
		name, want string
		f          format
	}{
		{"action", "48 MB", format{backend: OpenWhisk, limit: maxCode}},
		{"image for Code Engine", "48 MB", format{backend: CodeEngine, limit: maxCode}},
		{"config map", "1 MB", jobFormat},
	} {
		if got := tc.f.tooLarge("/lithops").Error(); !strings.Contains(got, tc.want) {
			t.Errorf("%s: got %q, want the limit of %s", tc.name, got, tc.want)
		}
	}
}
