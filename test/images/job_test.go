package images_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/images"
	"fn-runtime/runtime/images/skeleton"
	"fn-runtime/runtime/lithops"
	"fn-runtime/test/harness"
)

// jobBuild returns the request of 'build -b code_engine'.
func jobBuild(t *testing.T, dir string) entity.ImageBuild {
	t.Helper()
	in, err := lithops.Find(t.Context(), lithops.FindOptions{Python: filepath.Join(harness.Venv(t, "3.11", "lithops", "boto3"), "bin", "python")})
	if err != nil {
		t.Fatal(err)
	}
	return entity.ImageBuild{Image: image(t), Context: dir, Args: map[string]string{"BASE": testEngine.base}, Check: true, Python: "3.11",
		Modules: lithops.RequiredModules(in.Version, lithops.Minio), Trial: lithops.NewTrial(in),
		ExtraFile: &entity.BuildFile{Name: lithops.ImageArchive, Make: func(ctx context.Context) ([]byte, error) {
			return lithops.BuildImageArchive(ctx, in)
		}}}
}

// TestSkeletonOfJobs builds the skeleton for Code Engine, whose image contains the Lithops code.
func TestSkeletonOfJobs(t *testing.T) {
	dir := t.TempDir()
	if _, err := skeleton.Write(dir, skeleton.Options{Python: "3.11", Jobs: true, Code: true}); err != nil {
		t.Fatal(err)
	}
	built, out, err := build(t, builder(t, images.Options{}), jobBuild(t, dir))
	if err != nil || built.Python != "3.11" {
		t.Fatalf("%+v %v\n%s", built, err, out)
	}
}

// TestAddedFile checks that the build finds an added file regardless of .dockerignore, that the file is not written
// into the directory, and that it replaces an existing file in the context.
func TestAddedFile(t *testing.T) {
	both(t, func(t *testing.T, getenv func(string) string) {
		dir := contextDir(t, map[string]string{".dockerignore": "*.zip\n", "code.zip": "old", "z/deep": "", "a": "",
			"Dockerfile": "FROM " + testEngine.base + "\nCOPY . /all\nCOPY code.zip /\nRUN [ \"$(cat /code.zip)\" = new ] && [ -e /all/z/deep ] && [ -e /all/a ]\n"})
		spec := entity.ImageBuild{Image: image(t), Context: dir, ExtraFile: &entity.BuildFile{Name: "code.zip",
			Make: func(context.Context) ([]byte, error) { return []byte("new"), nil }}}
		if _, out, err := build(t, builder(t, images.Options{Getenv: getenv}), spec); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if got, err := os.ReadFile(filepath.Join(dir, "code.zip")); err != nil || string(got) != "old" {
			t.Errorf("in the directory: %q, %v", got, err)
		}
	})
}

func TestCheckOfJobs(t *testing.T) {
	base := "FROM " + testEngine.base + "\nRUN ln -sf /usr/bin/python3 /usr/local/bin/python\n"
	modules := "RUN pip install --break-system-packages flask pika cloudpickle tblib psutil ps-mem PyYAML requests six boto3 >/dev/null\n"
	withCode := base + modules + "COPY lithops_codeengine.zip /lithops/\nRUN cd /lithops && python3 -m zipfile -e lithops_codeengine.zip .\n"
	for _, it := range []struct {
		name, dockerfile string
		words            []string
	}{
		{"code of a config map", base + modules, nil},
		{"no modules", base, []string{"flask", "requirements.txt"}},
		{"no Python", "FROM " + testEngine.base + "\nRUN rm -f /usr/local/bin/python\n", []string{"does not start", "/usr/local/bin/python"}},
		{"other release", withCode + "RUN sed -i 's/^__version__.*/__version__ = \"0.0.1\"/' /lithops/lithops/version.py\n", []string{"contains Lithops 0.0.1"}},
		{"ends", base + "RUN mkdir /lithops && echo 'import sys; sys.exit(\"cannot go on\")' > /lithops/lithopsentry.py\n", []string{"exits with code 1", "cannot go on"}},
		{"tells nothing", base + "RUN mkdir /lithops && touch /lithops/lithopsentry.py\n", []string{"wrote no metadata"}},
	} {
		t.Run(it.name, func(t *testing.T) {
			dir := contextDir(t, map[string]string{"Dockerfile": it.dockerfile})
			spec := jobBuild(t, dir)
			_, out, err := build(t, builder(t, images.Options{}), spec)
			if it.words == nil {
				if err != nil {
					t.Errorf("%s\n%s", detail(err), out)
				}
				return
			}
			wants(t, err, fault.Failed, append(it.words, "--no-check")...)
			if t.Failed() {
				t.Log(out)
			}
		})
	}
}

// TestFingerprintOfJobs checks that the fingerprint of an image with the code inside changes with Lithops.
func TestFingerprintOfJobs(t *testing.T) {
	b := builder(t, images.Options{})
	of := func(dockerfile, code string) string {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(dockerfile), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := b.Fingerprint(t.Context(), entity.ImageBuild{Context: dir, ExtraFile: &entity.BuildFile{Name: "code.zip",
			Make: func(context.Context) ([]byte, error) { return []byte(code), nil }}})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	const with, without = "FROM a\nCOPY code.zip /\n", "FROM a\n"
	if first, again, other := of(with, "one"), of(with, "one"), of(with, "two"); first != again || first == other {
		t.Errorf("an image with the code: got %s, %s and %s, want the first two alike and the last different", first, again, other)
	}
	if of(without, "one") != of(without, "two") {
		t.Error("an image without the code follows it")
	}
}
