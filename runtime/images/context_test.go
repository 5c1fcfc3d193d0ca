package images

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/docker/docker/pkg/jsonmessage"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
)

func writeFiles(t *testing.T, all map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range all {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func archiveNames(t *testing.T, f *buildContext) string {
	t.Helper()
	var b bytes.Buffer
	name, err := f.archiveName()
	if err != nil {
		t.Fatal(err)
	}
	if err := f.write(context.Background(), &b, name); err != nil {
		t.Fatal(err)
	}
	var names []string
	r := tar.NewReader(&b)
	for {
		h, err := r.Next()
		if err == io.EOF {
			return strings.Join(names, " ")
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Uid != 0 || h.Gid != 0 || h.Uname != "" {
			t.Errorf("%s belongs to %d:%d %q", h.Name, h.Uid, h.Gid, h.Uname)
		}
		names = append(names, h.Name)
		if h.Name == ignoreFile && f.dockerfileEntry == "" {
			data, _ := io.ReadAll(r)
			if got, want := string(data), ignoreFile+"\n"+name+"\n"; got != want {
				t.Errorf("the generated .dockerignore lists %q, want %q", got, want)
			}
		}
	}
}

func TestDockerfileLocation(t *testing.T) {
	dir := writeFiles(t, map[string]string{"Dockerfile": "FROM a", "sub/Other": "FROM b", "x": "1"})
	outside := filepath.Join(writeFiles(t, map[string]string{"Mine": "FROM c"}), "Mine")
	for _, it := range []struct{ name, ignore, dockerfile, dockerfileEntry, archiveNames string }{
		{"default", "", "", "Dockerfile", "Dockerfile sub/ sub/Other x"},
		{"named", "", filepath.Join(dir, "sub", "Other"), "sub/Other", "Dockerfile sub/ sub/Other x"},
		{"outside", "", outside, "", ".dockerfile. .dockerignore Dockerfile sub/ sub/Other x"},
		{"ignored", "Dockerfile", "", "", ".dockerfile. .dockerignore sub/ sub/Other x"},
	} {
		t.Run(it.name, func(t *testing.T) {
			ignore := filepath.Join(dir, ".dockerignore")
			if it.ignore != "" {
				if err := os.WriteFile(ignore, []byte(it.ignore), 0o600); err != nil {
					t.Fatal(err)
				}
				defer os.Remove(ignore)
			}
			f, err := openContext(dir, it.dockerfile)
			if err != nil {
				t.Fatal(err)
			}
			if f.dockerfileEntry != it.dockerfileEntry {
				t.Errorf("the Dockerfile is the entry %q, want %q", f.dockerfileEntry, it.dockerfileEntry)
			}
			got := archiveNames(t, f)
			if it.dockerfileEntry == "" { // the name is derived from the content, and does not change
				name, _ := f.archiveName()
				if again, _ := f.archiveName(); again != name || len(name) != len(".dockerfile.")+20 {
					t.Errorf("got the name %s first, then %s", name, again)
				}
				got = strings.Replace(got, name, ".dockerfile.", 1)
			}
			if got != it.archiveNames {
				t.Errorf("got %s, want %s", got, it.archiveNames)
			}
		})
	}
}

func TestDockerfileInLowerCase(t *testing.T) {
	f, err := openContext(writeFiles(t, map[string]string{"dockerfile": "FROM a", "x": ""}), "")
	if err != nil || f.dockerfileEntry != "dockerfile" {
		t.Errorf("got %+v, %v; want the file 'dockerfile', as in the Docker CLI", f, err)
	}
}

// A context that is a link to a directory means that directory, for the image and for its fingerprint.
func TestContextIsALink(t *testing.T) {
	dir := writeFiles(t, map[string]string{"Dockerfile": "FROM a", "x": "1"})
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	for _, dockerfile := range []string{"", filepath.Join(link, "Dockerfile"), filepath.Join(dir, "Dockerfile")} {
		f, err := openContext(link, dockerfile)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := archiveNames(t, f), "Dockerfile x"; got != want {
			t.Errorf("with the Dockerfile %q the archive has %q, want %q", dockerfile, got, want)
		}
	}
	b := New(Options{})
	want, _ := b.Fingerprint(t.Context(), entity.ImageBuild{Context: dir})
	if got, err := b.Fingerprint(t.Context(), entity.ImageBuild{Context: link}); got != want || err != nil {
		t.Errorf("got the fingerprint %s, %v; want %s", got, err, want)
	}
	if err := os.WriteFile(filepath.Join(dir, "x"), []byte("2"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, _ := b.Fingerprint(t.Context(), entity.ImageBuild{Context: link}); got == want {
		t.Error("a change of the target does not change the fingerprint")
	}
}

func TestIgnoreFileOfTheDockerfileTakesPrecedence(t *testing.T) {
	dir := writeFiles(t, map[string]string{"Dockerfile": "FROM a", "a": "", "b": "", ".dockerignore": "a", "Dockerfile.dockerignore": "b"})
	f, err := openContext(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	if got := archiveNames(t, f); got != ".dockerignore Dockerfile Dockerfile.dockerignore a" {
		t.Errorf("got %q, want %q", got, ".dockerignore Dockerfile Dockerfile.dockerignore a")
	}
}

func TestContextFaults(t *testing.T) {
	empty := t.TempDir()
	_, err := openContext(empty, "")
	var f *fault.Fault
	if !errors.As(err, &f) || f.Kind != fault.NotFound || !strings.Contains(f.Error(), filepath.Join(empty, "Dockerfile")) || !strings.Contains(f.Recovery.String(), "fn-runtime init") {
		t.Errorf("got %v, want %s with the path of the Dockerfile and 'fn-runtime init' as its recovery", err, fault.NotFound)
	}
	if _, err := openContext(filepath.Join(empty, "none"), ""); !fault.Is(err, fault.Invalid) {
		t.Error(err)
	}
	if _, err := openContext(empty, empty); !fault.Is(err, fault.NotFound) { // a directory is not a Dockerfile
		t.Error(err)
	}
	bad := writeFiles(t, map[string]string{"Dockerfile": "FROM a", ".dockerignore": "[\n"})
	if _, err := openContext(bad, ""); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), ".dockerignore") {
		t.Error(err)
	}
}

func TestShrinkingFile(t *testing.T) {
	dir := writeFiles(t, map[string]string{"Dockerfile": "FROM a", "x": "long"})
	f, err := openContext(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "x"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := f.write(context.Background(), io.Discard, "Dockerfile"); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "shrank") {
		t.Error(err)
	}
}

// The files are sparse: they use no disk space.
func TestSize(t *testing.T) {
	dir := writeFiles(t, map[string]string{"Dockerfile": "FROM a", "data/a": "", "data/b": "", "model.bin": "", "small": "x"})
	grow := func(megabytes int64) {
		for name, part := range map[string]int64{"data/a": 3, "data/b": 3, "model.bin": 5} {
			if err := os.Truncate(filepath.Join(dir, name), megabytes*1_000_000/11*part); err != nil {
				t.Fatal(err)
			}
		}
	}
	warned := ""
	build := func() error {
		getenv := func(name string) string { return map[string]string{"DOCKER_HOST": "unix:///nowhere"}[name] }
		b := New(Options{Getenv: getenv, Warn: func(m i18n.Message) { warned = m.String() }})
		_, err := b.Build(t.Context(), entity.ImageBuild{Image: "user/name:1", Context: dir}, nil)
		return err
	}
	grow(550)
	if err := build(); !fault.Is(err, fault.Unavailable) || !strings.Contains(warned, "data/ (300MB)") {
		t.Errorf("550 MB: got %v, warning %q; want one that lists data/ (300MB)", err, warned)
	}
	grow(2200)
	err := build()
	var f *fault.Fault
	if !errors.As(err, &f) || f.Kind != fault.TooLarge {
		t.Fatalf("2.2 GB: got %v, want %s", err, fault.TooLarge)
	}
	if got, want := strings.Join(f.Details[:2], ", "), "data/ (1.2GB), model.bin (1GB)"; got != want || !strings.Contains(f.Error(), "2.2GB") || !strings.Contains(f.Recovery.String(), ".dockerignore") {
		t.Errorf("got %s of %v, want %s", got, f, want)
	}
}

func TestImageNames(t *testing.T) {
	dir := writeFiles(t, map[string]string{"Dockerfile": "FROM a"})
	for _, image := range []string{"", "User/Name:1", "user/name:", "user name"} {
		_, err := New(Options{}).Build(context.Background(), entity.ImageBuild{Image: image, Context: dir}, nil)
		if !fault.Is(err, fault.Usage) {
			t.Errorf("%q: %v", image, err)
		}
	}
	pinned := "docker.io/me/img@sha256:" + strings.Repeat("a", 64)
	if d, err := New(Options{}).Digest(context.Background(), pinned, false); err != nil || d != "sha256:"+strings.Repeat("a", 64) {
		t.Errorf("%s %v", d, err)
	}
}

// Bytes are reported once a layer has a size, and each pushed layer is printed on a line.
func TestPushProgress(t *testing.T) {
	var b bytes.Buffer
	var seen []string
	p := &pushReport{out: newPrinter(&b), onRetry: func() {}, progress: func(done, total int64, unit string) {
		seen = append(seen, fmt.Sprint(done, "/", total, " ", unit))
	}}
	for _, m := range []jsonmessage.JSONMessage{
		{ID: "a", Status: "Preparing"}, {ID: "b", Status: "Preparing"},
		{ID: "a", Status: "Pushing", Progress: &jsonmessage.JSONProgress{Current: 512, Total: 2000}},
		{ID: "b", Status: "Layer already exists"}, {ID: "a", Status: "Pushed"},
	} {
		p.message(m)
	}
	if got := strings.Join(seen, ", "); got != "512/2000 bytes, 512/2000 bytes, 2000/2000 bytes" {
		t.Errorf("got %q, want %q", got, "512/2000 bytes, 512/2000 bytes, 2000/2000 bytes")
	}
	if b.String() != "b: Layer already exists\na: Pushed (2kB)\n" {
		t.Errorf("%q", b.String())
	}
}
