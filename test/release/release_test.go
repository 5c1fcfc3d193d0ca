// Package release checks that a release consists of the same bytes wherever it is built.
package release

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"fn-runtime/test/harness"
)

// TestSameBytes builds one platform in the project's directory, and again from a copy of the sources in another
// directory, with another home directory and an empty cache.
func TestSameBytes(t *testing.T) {
	root := harness.Root(t)
	copied := filepath.Join(t.TempDir(), "elsewhere")
	for _, args := range [][]string{{"mkdir", copied}, {"sh", "-c", `git ls-files -z | xargs -0 sh -c 'for f; do [ -e "$f" ] && printf "%s\0" "$f"; done' sh | tar --null -T - -cf - | tar -C "$0" -xf -`, copied}} {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Dir = root
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
	first := build(t, root, "BINARIES_ONLY=1")
	second := build(t, copied, "BINARIES_ONLY=1", "GOCACHE="+filepath.Join(t.TempDir(), "cache"), "HOME="+t.TempDir(), "GOMODCACHE="+env(t, "GOMODCACHE"))
	sums, err := os.ReadFile(filepath.Join(first, "SHA256SUMS"))
	if err != nil {
		t.Fatal(err)
	}
	again, err := os.ReadFile(filepath.Join(second, "SHA256SUMS"))
	if err != nil {
		t.Fatal(err)
	}
	if string(sums) != string(again) || len(strings.Split(strings.TrimSpace(string(sums)), "\n")) != 2 {
		t.Errorf("two builds differ:\n%s\n%s", sums, again)
	}
	check := exec.Command("sha256sum", "--check", "--strict", "SHA256SUMS")
	check.Dir = first
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("the checksums are not those of the files: %s", out)
	}
	checkBillOfMaterials(t, first)
}

// checkBillOfMaterials checks that the bill of materials lists the modules that go.mod requires.
func checkBillOfMaterials(t *testing.T, dir string) {
	t.Helper()
	found, _ := filepath.Glob(filepath.Join(dir, "*.cdx.json"))
	if len(found) != 1 {
		t.Fatalf("bills of materials: %v", found)
	}
	data, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		BOMFormat  string
		Components []struct{ Name, Version string }
	}
	if err := json.Unmarshal(data, &doc); err != nil || doc.BOMFormat != "CycloneDX" {
		t.Fatalf("%v, format %q", err, doc.BOMFormat)
	}
	names := map[string]bool{}
	for _, c := range doc.Components {
		names[c.Name] = true
	}
	for _, name := range []string{"github.com/IBM-Cloud/ibm-cloud-cli-sdk", "github.com/apache/openwhisk-client-go", "github.com/IBM/ibm-cos-sdk-go", "github.com/docker/docker"} {
		if !names[name] {
			t.Errorf("the bill of materials lacks %s", name)
		}
	}
	for _, secret := range []string{"/root/", "/home/", os.TempDir() + "/"} {
		if strings.Contains(string(data), secret) {
			t.Errorf("the bill of materials holds the path %s", secret)
		}
	}
}

func build(t *testing.T, dir string, more ...string) string {
	t.Helper()
	out := t.TempDir()
	release(t, dir, out, append([]string{"PLATFORMS=linux/amd64"}, more...)...)
	return out
}

// release runs bin/release of the sources in dir.
func release(t *testing.T, dir, out string, env ...string) {
	t.Helper()
	cmd := exec.Command(filepath.Join(dir, "bin", "release"), out)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("bin/release: %v\n%s", err, text)
	}
}

func env(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.Command("go", "env", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}
