package e2e

import (
	"crypto/rand"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"fn-runtime/test/harness"
)

// containerStage is a stage with a local endpoint that runs containers, a user who has logged in to the registry, and a
// client.
type containerStage struct {
	*harness.Stage
	t      *testing.T
	engine harness.Engine
	end    harness.Endpoint
	python string // of the client
}

// ownPackage is a pure Python package that Lithops does not depend on.
const ownPackage = "toolz"

func newContainerStage(t *testing.T) *containerStage {
	t.Helper()
	engine := harness.RequireEngine(t)
	c := clients[0]
	venv := harness.Venv(t, c.python, append([]string{c.lithops}, c.more...)...)
	b := &containerStage{Stage: harness.NewStage(t), t: t, engine: engine, python: filepath.Join(venv, "bin", "python")}
	b.Env = append(b.Env, "VIRTUAL_ENV="+venv)
	engine.Login(t, b.Stage)
	b.FnRuntime("local", "start", "--invoker", "docker")
	t.Cleanup(func() {
		b.FnRuntime("local", "stop")
		if left := b.containers(); len(left) > 0 {
			t.Errorf("containers are left: %v", left)
		}
	})
	b.end = b.Endpoint()
	write(t, filepath.Join(b.Home, ".lithops", "config"), c.config(t, b.end))
	b.Env = append(b.Env, b.end.Trust()...)
	return b
}

// docker runs the Docker CLI.
func (b *containerStage) docker(args ...string) string {
	b.t.Helper()
	return strings.TrimSpace(b.Run(5*time.Minute, "docker", args...).Stdout)
}

// containers returns the full IDs of the containers of the stage's endpoint.
func (b *containerStage) containers() []string {
	b.t.Helper()
	return strings.Fields(b.docker("ps", "-aq", "--no-trunc", "--filter", "label=fn-runtime.endpoint="+filepath.Join(b.LocalDir(), "invoker")))
}

// image returns an image name that only this run of the test uses, because other runs may use the same registry. The
// image is deleted at the end.
func (b *containerStage) image(name string) string {
	full := b.engine.Registry + "/lithops/" + strings.ToLower(rand.Text()[:8]) + "-" + name
	b.t.Cleanup(func() { _ = exec.Command("docker", "image", "rm", "-f", full).Run() })
	return full
}

type built struct {
	Image         string `json:"image"`
	Digest        string `json:"digest"`
	PythonVersion string `json:"python_version"`
}

// build builds and pushes an image.
func (b *containerStage) build(image string, args ...string) (out built) {
	b.t.Helper()
	r := b.Run(10*time.Minute, b.Bin, append([]string{"build", image, "--output", "json"}, args...)...)
	decode(b.t, r.Stdout, &out)
	if out.PythonVersion != "3.11" || !strings.HasPrefix(out.Digest, "sha256:") {
		b.t.Fatalf("build says %+v", out)
	}
	return out
}

// job runs the unmodified client with a deployed image, and checks that the job ran in containers of that image.
func (b *containerStage) job(image string) {
	b.t.Helper()
	mark := len(b.Requests())
	var ran []struct {
		Host, File, Python string
		Container          bool
		Sum                int
	}
	decode(b.t, result(b.t, b.Run(5*time.Minute, b.python, script(b.t, "container.py"), image, ownPackage)), &ran)
	ids := b.containers()
	for _, r := range ran {
		at := slices.IndexFunc(ids, func(id string) bool { return strings.HasPrefix(id, r.Host) })
		if !r.Container || at < 0 || r.Sum != 10 || r.Python != "3.11" {
			b.t.Errorf("ran in %+v, which is none of the containers %v", r, ids)
			continue
		}
		if of := b.docker("inspect", "-f", "{{.Config.Image}}", ids[at]); !strings.HasPrefix(of, strings.TrimSuffix(image, ":1")) {
			b.t.Errorf("the container's image is %s, not %s", of, image)
		}
	}
	if len(ran) != 3 {
		b.t.Errorf("%d results", len(ran))
	}
	for _, r := range b.Requests()[mark:] {
		if r.Service == "openwhisk" && r.Method != "POST" && r.Method != "GET" {
			b.t.Errorf("the client had to deploy: %s %s", r.Method, r.Path)
		}
	}
}

// addRequirement adds a line to the requirements of a skeleton.
func (b *containerStage) addRequirement(dir, line string) {
	b.t.Helper()
	path := filepath.Join(b.Dir, dir, "requirements.txt")
	text, err := os.ReadFile(path)
	if err != nil {
		b.t.Fatal(err)
	}
	write(b.t, path, string(text)+line+"\n")
}

// TestCustomRuntime performs the steps of a user with a custom runtime: init, an additional package, build and push to
// a registry with a password, deploy, and a job that imports the package inside the container. Then a new image gets
// the same tag.
func TestCustomRuntime(t *testing.T) {
	t.Parallel() // spends most of its time waiting for builds
	b := newContainerStage(t)
	image := b.image("own:1")
	b.FnRuntime("init", "own", "--python", "3.11")
	b.addRequirement("own", ownPackage)
	first := b.build(image, "own", "--build-arg", "BASE="+b.engine.Base)
	b.docker("image", "rm", "-f", image) // so that the endpoint has to pull it with the user's login
	said := b.FnRuntime("deploy", image)
	if strings.Contains(said.Stdout+said.Stderr, "Python installation on this machine") {
		t.Errorf("deploy reports that the image does not run:\n%s%s", said.Stdout, said.Stderr)
	}
	b.job(image)
	b.checkState(image, first.Digest, image, "ready")

	b.addRequirement("own", "# a change")
	second := b.build(image, "own", "--pin", "--build-arg", "BASE="+b.engine.Base)
	if second.Digest == first.Digest {
		t.Fatal("the second build has the digest of the first")
	}
	b.checkState(image, first.Digest, image, "outdated")
	if show := b.FnRuntime("show", image).Stdout; !strings.Contains(show, "The tag now points to another image.") ||
		!strings.Contains(show, first.Digest) || !strings.Contains(show, second.Digest) {
		t.Errorf("show does not report the drift:\n%s", show)
	}
	b.FnRuntime("deploy", image, "--pin")
	b.checkState(image, second.Digest, strings.TrimSuffix(image, ":1")+"@"+second.Digest, "ready")
	b.job(image)

	b.killEndpoint(image)
	b.checkBridge()
}

func (b *containerStage) checkState(image, digest, runs, state string) {
	b.t.Helper()
	var listed []struct{ Name, Image, Digest, State, Reason string }
	decode(b.t, b.FnRuntime("list", "--output", "json").Stdout, &listed)
	if len(listed) != 1 || listed[0].Name != image || listed[0].Digest != digest || listed[0].Image != runs || listed[0].State != state {
		b.t.Errorf("list says %+v, want %s at %s as %s, %s", listed, image, digest, runs, state)
	}
}

// killEndpoint kills the endpoint while containers are warm. The next start removes them.
func (b *containerStage) killEndpoint(image string) {
	b.t.Helper()
	before := b.containers()
	if len(before) == 0 {
		b.t.Fatal("no container is warm")
	}
	p, err := os.FindProcess(b.Endpoint().PID)
	if err == nil {
		err = p.Kill()
	}
	if err != nil {
		b.t.Fatal(err)
	}
	b.FnRuntime("local", "start")
	for _, id := range b.containers() {
		if slices.Contains(before, id) {
			b.t.Errorf("container %s has outlived its endpoint", id)
		}
	}
	b.job(image)
}

// gateway returns this machine's address on the engine's bridge. An engine without a configured gateway does not
// report it.
func (b *containerStage) gateway() string {
	b.t.Helper()
	if told := b.docker("network", "inspect", "bridge", "-f", "{{(index .IPAM.Config 0).Gateway}}"); told != "" {
		return told
	}
	name := b.docker("network", "inspect", "bridge", "-f", `{{index .Options "com.docker.network.bridge.name"}}`)
	bridge, err := net.InterfaceByName(name)
	if err != nil {
		b.t.Fatal(err)
	}
	addresses, err := bridge.Addrs()
	if err != nil {
		b.t.Fatal(err)
	}
	for _, a := range addresses {
		if prefix, err := netip.ParsePrefix(a.String()); err == nil && prefix.Addr().Is4() {
			return prefix.Addr().String()
		}
	}
	b.t.Fatalf("the bridge %s has got the addresses %v, want an IPv4 one", name, addresses)
	return ""
}

// checkBridge checks the addresses that the endpoint listens on, and tries to access its store without credentials.
func (b *containerStage) checkBridge() {
	b.t.Helper()
	gateway := b.gateway()
	end := b.Endpoint()
	_, port, err := net.SplitHostPort(strings.TrimPrefix(end.Endpoint, "https://"))
	if err != nil {
		b.t.Fatal(err)
	}
	want := []string{"127.0.0.1:" + port, gateway + ":" + port}
	slices.Sort(want)
	if got := listening(b.t, port); !slices.Equal(got, want) {
		b.t.Errorf("the endpoint listens on %v, not on %v alone", got, want)
	}
	// Like OpenWhisk, the endpoint describes itself to every client, but protects its content.
	for path, known := range map[string]string{"/": "200", "/" + end.Bucket: "403", "/" + end.Bucket + "?list-type=2": "403"} {
		for host, want := range map[string]string{"127.0.0.1:" + port: known, "somewhere.example": "421"} {
			r := b.Run(time.Minute, "curl", "-sk", "-o", os.DevNull, "-w", "%{http_code}", "-H", "Host: "+host, "https://"+net.JoinHostPort(gateway, port)+path)
			if r.Stdout != want {
				b.t.Errorf("without credentials, %s of %s answers %s over the bridge, not %s", path, host, r.Stdout, want)
			}
		}
	}
}

// listening returns the IPv4 and IPv6 addresses on which a process listens on a port, sorted. It reads /proc/net.
func listening(t *testing.T, port string) (all []string) {
	t.Helper()
	out, err := exec.Command("python3", "-c", `
import socket, struct, sys
for name, family, size in (('tcp', socket.AF_INET, 4), ('tcp6', socket.AF_INET6, 16)):
    for line in open('/proc/net/' + name).readlines()[1:]:
        address, state = line.split()[1], line.split()[3]
        host, number = address.split(':')
        if state == '0A' and int(number, 16) == int(sys.argv[1]):
            raw = b''.join(struct.pack('<I', int(host[i:i + 8], 16)) for i in range(0, 2 * size, 8))
            print('%s:%d' % (socket.inet_ntop(family, raw), int(number, 16)))
`, port).Output()
	if err != nil {
		t.Fatal(err)
	}
	all = strings.Fields(string(out))
	slices.Sort(all)
	return all
}

// TestCondaRuntime performs the same steps with the conda skeleton and its unchanged Dockerfile. A program that creates
// a virtual environment replaces conda, because conda-forge is not reachable from every build.
func TestCondaRuntime(t *testing.T) {
	t.Parallel() // spends most of its time waiting for builds
	b := newContainerStage(t)
	standIn := "fn-runtime-conda:e2e"
	t.Cleanup(func() { _ = exec.Command("docker", "image", "rm", "-f", standIn).Run() })
	b.docker("build", "-q", "-t", standIn, "--build-arg", "BASE="+b.engine.Base, filepath.Join(harness.Root(t), "test", "e2e", "testdata", "conda"))
	image := b.image("conda:1")
	b.FnRuntime("init", "conda", "--python", "3.11", "--conda")
	b.addRequirement("conda", ownPackage)
	b.build(image, "conda", "--build-arg", "BASE="+standIn, "--build-arg", "RUN_BASE="+b.engine.Base)
	b.FnRuntime("deploy", image)
	b.job(image)
}

// TestImageOfLithopsInstructions runs an image with another action proxy than ours: see testdata/lithops-image.
func TestImageOfLithopsInstructions(t *testing.T) {
	t.Parallel() // spends most of its time waiting for builds
	b := newContainerStage(t)
	image := b.image("theirs:1")
	source := filepath.Join(harness.Root(t), "test", "e2e", "testdata", "lithops-image")
	if err := os.CopyFS(filepath.Join(b.Dir, "theirs"), os.DirFS(source)); err != nil {
		t.Fatal(err)
	}
	b.addRequirement("theirs", ownPackage)
	b.build(image, "theirs", "--build-arg", "BASE="+b.engine.Base)
	b.FnRuntime("deploy", image)
	b.job(image)
	readObjects(t, b.Stage, b.python, image, 4, 2, 1)
	b.killEndpoint(image)
}
