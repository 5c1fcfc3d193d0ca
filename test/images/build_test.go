package images_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/images"
	"fn-runtime/runtime/images/skeleton"
	"fn-runtime/runtime/runtimetest"
	"fn-runtime/test/harness"
)

// TestSkeleton performs the steps of a user: init, then build with check and push. The second build changes nothing.
func TestSkeleton(t *testing.T) {
	both(t, func(t *testing.T, getenv func(string) string) {
		harness.NoContainers(t)
		dir := t.TempDir()
		if _, err := skeleton.Write(dir, skeleton.Options{Python: "3.11"}); err != nil {
			t.Fatal(err)
		}
		b := builder(t, images.Options{Getenv: getenv})
		spec := entity.ImageBuild{Image: image(t), Context: dir, Args: map[string]string{"BASE": testEngine.base},
			Push: true, Check: true, Python: "3.11", Modules: skeleton.Modules("")}
		built, out, err := build(t, b, spec)
		if err != nil {
			t.Fatalf("%v\n%s", detail(err), out)
		}
		t.Logf("%+v\n%s", built, out)
		digest, err := b.Digest(context.Background(), spec.Image, false)
		if err != nil || digest != built.Digest || !strings.HasPrefix(digest, "sha256:") {
			t.Errorf("the registry has %q, the build said %q: %v", digest, built.Digest, err)
		}
		again, out, err := build(t, b, spec)
		if err != nil || again.Digest != built.Digest || again.ID != built.ID {
			t.Errorf("the second build gave %+v instead of %+v: %v\n%s", again, built, err, out)
		}
	})
}

func detail(err error) string {
	if f, ok := errors.AsType[*fault.Fault](err); ok {
		return f.Error() + " " + f.Recovery.String() + "\n" + strings.Join(f.Details, "\n")
	}
	return err.Error()
}

func TestFailingStep(t *testing.T) {
	both(t, func(t *testing.T, getenv func(string) string) {
		harness.NoContainers(t)
		dir := contextDir(t, map[string]string{"Dockerfile": "FROM " + testEngine.base + "\nRUN echo fine\nRUN echo 'bang \\033[31mred' >&2; exit 3\n"})
		_, _, err := build(t, builder(t, images.Options{Getenv: getenv}), entity.ImageBuild{Image: image(t), Context: dir})
		wants(t, err, fault.Failed, "exit code 3", "RUN echo", "bang")
		if strings.Contains(detail(err), "\x1b") {
			t.Errorf("an escape sequence came through: %q", detail(err))
		}
	})
}

func TestFaults(t *testing.T) {
	for _, it := range []struct {
		name       string
		dockerfile string
		kind       fault.Kind
		words      []string
	}{
		{"no such base", "FROM " + "127.0.0.1:1/none:1\n", fault.Unavailable, []string{"base image"}},
		{"no such tag", "FROM REGISTRY/lithops/none:1\n", fault.NotFound, []string{"base image"}},
		{"unknown instruction", "FROM BASE\nRUNN true\n", fault.Invalid, []string{"Dockerfile", "RUNN"}},
		{"empty", "\n", fault.Invalid, []string{"Dockerfile"}},
		{"file not there", "FROM BASE\nCOPY nothing.txt /\n", fault.Invalid, []string{"nothing.txt", ".dockerignore"}},
		{"disk full", "FROM BASE\nRUN echo 'write: No space left on device' >&2; exit 1\n", fault.Failed, []string{"disk", "prune"}},
	} {
		t.Run(it.name, func(t *testing.T) {
			both(t, func(t *testing.T, getenv func(string) string) {
				harness.NoContainers(t)
				text := strings.NewReplacer("BASE", testEngine.base, "REGISTRY", testEngine.registry).Replace(it.dockerfile)
				dir := contextDir(t, map[string]string{"Dockerfile": text})
				_, _, err := build(t, builder(t, images.Options{Getenv: getenv}), entity.ImageBuild{Image: image(t), Context: dir})
				wants(t, err, it.kind, it.words...)
				t.Log(detail(err))
			})
		})
	}
}

// TestPrivateBase builds on an image that only a logged-in user can pull.
func TestPrivateBase(t *testing.T) {
	both(t, func(t *testing.T, getenv func(string) string) {
		base := image(t)
		b := builder(t, images.Options{Getenv: getenv})
		dir := contextDir(t, map[string]string{"Dockerfile": "FROM " + testEngine.base + "\nRUN echo " + t.Name() + " >/made\n"})
		if _, out, err := build(t, b, entity.ImageBuild{Image: base, Context: dir, Push: true}); err != nil {
			t.Fatalf("%v\n%s", detail(err), out)
		}
		above := contextDir(t, map[string]string{"Dockerfile": "FROM " + base + "\nRUN cat /made\n"})
		name := strings.TrimSuffix(base, ":1") + ":2"
		t.Cleanup(func() { _ = exec.Command("docker", "image", "rm", "-f", name).Run() })
		if _, out, err := build(t, b, entity.ImageBuild{Image: name, Context: above, Pull: true, NoCache: true}); err != nil {
			t.Fatalf("%v\n%s", detail(err), out)
		}
		stranger := builder(t, images.Options{Getenv: getenv, Home: t.TempDir()})
		_, _, err := build(t, stranger, entity.ImageBuild{Image: name, Context: above, Pull: true, NoCache: true})
		if err == nil {
			t.Fatal("the private base was had without an account")
		}
		t.Log(detail(err))
	})
}

// TestInterrupted cancels the context during a step: the engine must stop it.
func TestInterrupted(t *testing.T) {
	both(t, func(t *testing.T, getenv func(string) string) {
		harness.NoContainers(t)
		b := builder(t, images.Options{Getenv: getenv})
		marker := "sleep 4" + time.Now().Format("150405") // a process that can be identified by its arguments
		dir := contextDir(t, map[string]string{"Dockerfile": "FROM " + testEngine.base + "\nRUN echo started; " + marker + "\n"})
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
		defer cancel()
		seen := &watcher{word: "started", then: cancel}
		_, err := b.Build(ctx, entity.ImageBuild{Image: image(t), Context: dir, NoCache: true}, seen)
		if !errors.Is(err, context.Canceled) || fault.KindOf(err) != fault.Interrupted {
			t.Errorf("not interrupted: %v", err)
		}
		runtimetest.Eventually(t, "the step has ended in the engine", func() bool { return !running(t, marker) })
	})
}

// watcher calls then when a given word has been written as a line.
type watcher struct {
	word string
	then func()
}

func (w *watcher) Write(p []byte) (int, error) {
	if strings.TrimSpace(string(p)) == w.word {
		w.then()
	}
	return len(p), nil
}

// running reports whether a process with the given arguments runs. The step runs on this machine's kernel.
func running(t *testing.T, words string) bool {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range all {
		data, _ := os.ReadFile(path)
		if strings.Contains(strings.ReplaceAll(string(data), "\x00", " "), words) {
			return true
		}
	}
	return false
}

func TestPushFaults(t *testing.T) {
	dir := contextDir(t, map[string]string{"Dockerfile": "FROM " + testEngine.base + "\n"})
	spec := entity.ImageBuild{Image: image(t), Context: dir, Push: true}
	t.Run("wrong password", func(t *testing.T) {
		_, _, err := build(t, builder(t, images.Options{Home: home(t, testEngine.user, "wrong")}), spec)
		wants(t, err, fault.Denied, testEngine.registry, testEngine.user, "docker login "+testEngine.registry)
		if strings.Contains(detail(err), "wrong") {
			t.Errorf("the password is in %q", detail(err))
		}
		t.Log(detail(err))
	})
	t.Run("no account", func(t *testing.T) {
		_, _, err := build(t, builder(t, images.Options{Home: t.TempDir()}), spec)
		wants(t, err, fault.Denied, testEngine.registry, "docker login "+testEngine.registry)
	})
	t.Run("account of the Lithops configuration", func(t *testing.T) {
		b := builder(t, images.Options{Home: t.TempDir(), Server: testEngine.registry, User: testEngine.user, Password: testEngine.password})
		built, _, err := build(t, b, spec)
		if err != nil || built.Digest == "" {
			t.Fatalf("%+v %v", built, err)
		}
		if d, err := b.Digest(context.Background(), spec.Image, false); d != built.Digest {
			t.Errorf("digest %q instead of %q: %v", d, built.Digest, err)
		}
		_, err = b.Digest(context.Background(), spec.Image+"none", false)
		wants(t, err, fault.NotFound, "none")
	})
	t.Run("digest, wrong password", func(t *testing.T) {
		b := builder(t, images.Options{Home: home(t, testEngine.user, "wrong")})
		_, err := b.Digest(context.Background(), spec.Image, false)
		wants(t, err, fault.Denied, testEngine.user)
	})
}
