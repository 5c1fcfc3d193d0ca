package images_test

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/images"
)

// TestSameContextAsDocker builds directories with unusual .dockerignore files with the Docker CLI and with our client:
// the files that arrive, their kinds and their modes must be equal.
func TestSameContextAsDocker(t *testing.T) {
	files := map[string]string{
		"a.txt": "1", "b.md": "2", "README.md": "3", "docs/x.md": "4", "docs/keep/y.md": "5", "docs/keep/deep/z.txt": "6", "src/m.py": "7",
		"src/__pycache__/m.pyc": "8", ".git/config": "9", "space in name/f": "10", "data/big.bin": "11", "data/.keep": "12", "ünicode/ß.txt": "13",
	}
	for name, ignore := range map[string]string{
		"none":            "",
		"simple":          ".git\n**/__pycache__\n# comment\n\n",
		"exceptions":      "docs\n!docs/keep\ndocs/keep/deep\n",
		"wildcard":        "*.md\n!README.md\n",
		"all but one":     "**\n!src/**\n",
		"all but a file":  "*\n!docs/keep/deep/z.txt\n",
		"leading slash":   "/docs\n/src/*.py\n",
		"dockerfile too":  "Dockerfile\n.dockerignore\n",
		"trailing spaces": "data/   \nspace in name\n",
	} {
		t.Run(name, func(t *testing.T) {
			all := map[string]string{"Dockerfile": "FROM " + testEngine.base + "\nCOPY . /context\n" +
				"RUN find /context -mindepth 1 -printf '%y %m %P %l %s\\n' | sed 's/^d \\(.*\\) [0-9]*$/d \\1/' | LC_ALL=C sort >/listing\n"}
			maps.Copy(all, files)
			if ignore != "" {
				all[".dockerignore"] = ignore
			}
			dir := contextDir(t, all)
			if err := os.Symlink("../a.txt", filepath.Join(dir, "src", "link")); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(filepath.Join(dir, "src", "m.py"), 0o755); err != nil {
				t.Fatal(err)
			}
			reference := "fn-runtime-ignore:docker"
			cmd := exec.Command("docker", "build", "-q", "-t", reference, dir)
			cmd.Env = append(os.Environ(), "DOCKER_BUILDKIT=0")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			want := listing(t, reference)
			both(t, func(t *testing.T, getenv func(string) string) {
				name := image(t)
				if _, out, err := build(t, builder(t, images.Options{Getenv: getenv}), entity.ImageBuild{Image: name, Context: dir}); err != nil {
					t.Fatalf("%s\n%s", detail(err), out)
				}
				if diff := cmp.Diff(want, listing(t, name)); diff != "" {
					t.Errorf("the context differs from the Docker CLI's (-docker +ours):\n%s", diff)
				}
			})
		})
	}
}

func listing(t *testing.T, image string) string {
	t.Helper()
	out, err := exec.Command("docker", "run", "--rm", "--network", "none", image, "cat", "/listing").Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
