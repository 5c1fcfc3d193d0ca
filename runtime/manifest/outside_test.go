package manifest

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestOutsideFollowsLinks(t *testing.T) {
	base := t.TempDir()
	project := filepath.Join(base, "project")
	in := func(name string) string { return filepath.Join(project, name) }
	if err := errors.Join(os.MkdirAll(in("image"), 0o700), os.MkdirAll(filepath.Join(base, "secrets"), 0o700), os.Symlink(filepath.Join(base, "secrets"), in("link")),
		os.Symlink("image", in("inner")), os.Symlink(project, filepath.Join(base, "alias"))); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		dir  string
		b    Build
		want []string
	}{
		"the directory itself":   {project, Build{Context: project}, nil},
		"below":                  {project, Build{Context: in("image"), Dockerfile: in("image/D")}, nil},
		"a link inside":          {project, Build{Context: in("inner")}, nil},
		"the file's own link":    {filepath.Join(base, "alias"), Build{Context: in("image")}, nil},
		"missing":                {project, Build{Context: in("none/at/all")}, nil},
		"a name with dots":       {project, Build{Context: in("..image")}, nil},
		"climbing":               {project, Build{Context: filepath.Join(project, "..", "secrets")}, []string{filepath.Join(base, "secrets")}},
		"absolute":               {project, Build{Context: "/"}, []string{"/"}},
		"a neighbor's beginning": {project, Build{Context: project + "-other"}, []string{project + "-other"}},
		"a link out":             {project, Build{Context: in("link")}, []string{in("link")}},
		"below a link out":       {project, Build{Context: in("link/none")}, []string{in("link/none")}},
		"a Dockerfile alone":     {project, Build{Context: in("image"), Dockerfile: filepath.Join(base, "secrets", "D")}, []string{filepath.Join(base, "secrets", "D")}},
	} {
		if got := tc.b.Outside(tc.dir); !slices.Equal(got, tc.want) {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}

// Relative paths in a pipe are relative to the working directory, as in other programs that read pipes.
func TestPathsOfPipeAreRelativeToWorkingDirectory(t *testing.T) {
	for _, name := range []string{"/dev/stdin", "/dev/fd/63"} {
		f, err := Parse(name, []byte("runtimes:\n- image: me/x:1\n  build: image\n"), noEnvironment)
		if err != nil {
			t.Fatal(err)
		}
		if got := f.Runtimes[0].Build.Context; got != "image" || f.Dir != "." {
			t.Errorf("%s: got context %q in directory %q, want %q in %q", name, got, f.Dir, "image", ".")
		}
	}
}
