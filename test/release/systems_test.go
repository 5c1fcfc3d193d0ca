package release

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"fn-runtime/test/harness"
)

// formula evaluates the Homebrew formula in real Ruby for every system and architecture that it supports.
// testdata/homebrew.rb replaces Homebrew: it downloads, verifies the checksum, and installs the binary for this
// machine.
func (p published) formula(t *testing.T) {
	if _, err := exec.LookPath("ruby"); err != nil {
		harness.Missing(t, "ruby is not installed")
	}
	file := filepath.Join(p.dir, "fn-runtime.rb")
	if out, err := exec.Command("ruby", "-wc", file).CombinedOutput(); err != nil || string(out) != "Syntax OK\n" {
		t.Fatalf("%v\n%s", err, out)
	}
	systems := []string{map[string]string{"linux": "linux", "darwin": "macos"}[runtime.GOOS] + "-" + map[string]string{"amd64": "intel", "arm64": "arm"}[runtime.GOARCH]}
	if *all {
		systems = []string{"linux-intel", "linux-arm", "macos-intel", "macos-arm"}
	}
	for i, system := range systems {
		prefix := t.TempDir()
		run := "install"
		if i > 0 {
			run = "download"
		}
		out, err := exec.Command("ruby", "testdata/homebrew.rb", file, system, prefix, run).CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", system, err, out)
		}
		for _, name := range []string{"bin/fn-runtime", "share/doc/NOTICE", "completion/bash", "completion/zsh", "completion/fish"} {
			if info, err := os.Stat(filepath.Join(prefix, name)); run == "install" && (err != nil || info.Size() == 0) {
				t.Errorf("%s: %s was not installed: %v", system, name, err)
			}
		}
	}
}

// debian installs this machine's package with dpkg below a directory instead of /.
func (p published) debian(t *testing.T) {
	if _, err := exec.LookPath("dpkg"); err != nil {
		harness.Missing(t, "dpkg is not installed")
	}
	packages, err := filepath.Glob(filepath.Join(p.dir, "*.deb"))
	if err != nil || len(packages) != map[bool]int{true: 4, false: 1}[*all] {
		t.Fatalf("%v, %v", err, packages)
	}
	root := t.TempDir()
	for _, dir := range []string{"info", "updates", "triggers"} {
		if err := os.MkdirAll(filepath.Join(root, "var/lib/dpkg", dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{"status", "available"} {
		put(t, filepath.Join(root, "var/lib/dpkg", file), nil)
	}
	native := filepath.Join(p.dir, "fn-runtime_"+field(t, packages[0], "Version")+"_"+strings.TrimSpace(output(t, "dpkg", "--print-architecture"))+".deb")
	output(t, "dpkg", "--root="+root, "--force-not-root", "--log=/dev/null", "--install", native)
	if got := output(t, filepath.Join(root, "usr/bin/fn-runtime"), "version"); !strings.Contains(got, field(t, native, "Version")) {
		t.Errorf("the binary says %q", got)
	}
	for _, name := range []string{
		"usr/share/bash-completion/completions/fn-runtime", "usr/share/zsh/vendor-completions/_fn-runtime",
		"usr/share/fish/vendor_completions.d/fn-runtime.fish", "usr/share/doc/fn-runtime/copyright", "usr/share/doc/fn-runtime/changelog.gz",
	} {
		if info, err := os.Stat(filepath.Join(root, name)); err != nil || info.Size() == 0 || info.Mode().Perm() != 0o644 {
			t.Errorf("%s: %v, %v", name, err, info)
		}
	}
	if got := unzip(t, filepath.Join(root, "usr/share/doc/fn-runtime/NOTICE.gz")); !bytes.Equal(got, get(t, p.url+"/NOTICE")) {
		t.Error("the Debian package has another NOTICE than the release")
	}
	output(t, "bash", "-n", filepath.Join(root, "usr/share/bash-completion/completions/fn-runtime"))
	pages, _ := filepath.Glob(filepath.Join(harness.Root(t), "docs/man/*.1"))
	for _, page := range pages {
		want, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		if got := unzip(t, filepath.Join(root, "usr/share/man/man1", filepath.Base(page)+".gz")); !bytes.Equal(got, want) {
			t.Errorf("%s is not that of docs/man", filepath.Base(page))
		}
	}
	if *all {
		if out, err := exec.Command("lintian", append([]string{"--allow-root", "--fail-on", "error", "--suppress-tags", "statically-linked-binary"}, packages...)...).CombinedOutput(); err != nil {
			t.Errorf("lintian: %v\n%s", err, out)
		}
	}
}

func field(t *testing.T, file, name string) string {
	t.Helper()
	return strings.TrimSpace(output(t, "dpkg-deb", "--field", file, name))
}

// output runs a program, which must succeed, and returns its output.
func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}

func unzip(t *testing.T, file string) []byte {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
