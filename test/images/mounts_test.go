package images_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/images"
	"fn-runtime/runtime/runtimetest"
)

// A Dockerfile outside of the context, or excluded by .dockerignore, is not in the image. The same applies to the
// temporary file that transfers it.
func TestDockerfileStaysOutOfTheImage(t *testing.T) {
	text := "FROM " + testEngine.base + "\nCOPY . /context\nRUN find /context -mindepth 1 -printf '%P\\n' | LC_ALL=C sort >/listing\n"
	both(t, func(t *testing.T, getenv func(string) string) {
		outside := filepath.Join(contextDir(t, map[string]string{"Mine": text}), "Mine")
		for name, it := range map[string]struct {
			files      map[string]string
			dockerfile string
			want       string
		}{
			"outside":  {map[string]string{"x": "1"}, outside, "x"},
			"excluded": {map[string]string{"x": "1", "Dockerfile": text, ".dockerignore": "Dockerfile\n.dockerignore\n"}, "", "x"},
		} {
			t.Run(name, func(t *testing.T) {
				ref := image(t)
				if _, out, err := build(t, builder(t, images.Options{Getenv: getenv}), entity.ImageBuild{Image: ref, Context: contextDir(t, it.files), Dockerfile: it.dockerfile}); err != nil {
					t.Fatalf("%s\n%s", detail(err), out)
				}
				if got := strings.TrimSpace(listing(t, ref)); got != it.want {
					t.Errorf("the image has got %q, want %q", got, it.want)
				}
			})
		}
	})
}

// Our builds support the same options as the Docker CLI: secrets that no layer keeps, keys of an SSH agent, a target
// stage, labels.
func TestMountsOfABuild(t *testing.T) {
	text := "FROM " + testEngine.base + " AS first\n" +
		"RUN --mount=type=secret,id=token cp /run/secrets/token /copied\n" +
		"RUN --mount=type=secret,id=VALUE test \"$(cat /run/secrets/VALUE)\" = 'of the environment'\n" +
		"RUN --mount=type=ssh python3 -c \"import os, socket; s = socket.socket(socket.AF_UNIX); s.connect(os.environ['SSH_AUTH_SOCK']); " +
		"s.sendall(bytes([0, 0, 0, 1, 11])); a = s.recv(4096); assert a[4] == 12 and a[8] == 1; " +
		"s.sendall(bytes([0, 0, 0, 1, 19])); a = s.recv(4096); assert a[4] == 5\"\n" + // a request to delete all keys

		"RUN cp /copied /listing\n" +
		"FROM " + testEngine.base + "\nRUN exit 9\n"
	dir := contextDir(t, map[string]string{"Dockerfile": text})
	secret := filepath.Join(contextDir(t, map[string]string{"token": "hidden\n"}), "token")
	key := filepath.Join(t.TempDir(), "key")
	command(t, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
	socket := filepath.Join(t.TempDir(), "agent")
	agent := exec.Command("ssh-agent", "-D", "-a", socket)
	if err := agent.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = agent.Process.Kill(); _ = agent.Wait() })
	runtimetest.Eventually(t, "the socket "+socket, func() bool {
		_, err := os.Stat(socket)
		return err == nil
	})
	t.Setenv("SSH_AUTH_SOCK", socket)
	command(t, "ssh-add", "-q", key)
	getenv := func(name string) string {
		if name == "VALUE" {
			return "of the environment"
		}
		return os.Getenv(name)
	}
	ref := image(t)
	spec := entity.ImageBuild{Image: ref, Context: dir, Target: "first", Labels: map[string]string{"stage": "one"}, Network: "none",
		Secrets: []entity.BuildSecret{{ID: "token", File: secret}, {ID: "VALUE"}}, SSH: []entity.BuildSSH{{ID: "default", Socket: socket}}}
	if _, out, err := build(t, builder(t, images.Options{Getenv: getenv}), spec); err != nil {
		t.Fatalf("%s\n%s", detail(err), out)
	}
	if out := command(t, "ssh-add", "-l"); !strings.Contains(out, "ED25519") {
		t.Errorf("the build has deleted the agent's key; the agent has %q", out)
	}
	if got := listing(t, ref); got != "hidden\n" {
		t.Errorf("the step has got the secret %q, want %q", got, "hidden\n")
	}
	classic := func(name string) string {
		if name == "DOCKER_BUILDKIT" {
			return "0"
		}
		return getenv(name)
	}
	_, _, err := build(t, builder(t, images.Options{Getenv: classic}), spec)
	wants(t, err, fault.Invalid, "BuildKit")
}

// A Dockerfile that needs a feature that this builder lacks is refused with this reason.
func TestUnsupportedBuilderFeatures(t *testing.T) {
	both(t, func(t *testing.T, getenv func(string) string) {
		dir := contextDir(t, map[string]string{"Dockerfile": "FROM " + testEngine.base + "\nRUN <<EOF\nmake all\nEOF\n"})
		_, _, err := build(t, builder(t, images.Options{Getenv: getenv}), entity.ImageBuild{Image: image(t), Context: dir})
		wants(t, err, fault.Invalid, "heredoc", "MAKE", "DOCKER_BUILDKIT")
	})
	dir := contextDir(t, map[string]string{"Dockerfile": "# syntax=127.0.0.1:1/docker/dockerfile:1\nFROM " + testEngine.base + "\n"})
	_, _, err := build(t, builder(t, images.Options{}), entity.ImageBuild{Image: image(t), Context: dir})
	wants(t, err, fault.Unavailable, "# syntax=", "127.0.0.1:1/docker/dockerfile:1", "delete the line")
}

func command(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
	return string(out)
}
