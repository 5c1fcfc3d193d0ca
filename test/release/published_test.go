package release

import (
	"bytes"
	"crypto/sha1"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"

	sdk "github.com/IBM-Cloud/ibm-cloud-cli-sdk/plugin"

	"fn-runtime/test/harness"
)

// all builds every platform, which takes minutes; without it only this machine's platform is built.
var all = flag.Bool("all", false, "publish all seven platforms, start the foreign ones, and run lintian")

// published is a release in a directory that is served over HTTP.
type published struct{ dir, url string }

// TestPublished installs a release as users do: over HTTP, from the directory that `make release` fills.
func TestPublished(t *testing.T) {
	p := published{dir: t.TempDir()}
	server := httptest.NewServer(http.FileServer(http.Dir(p.dir)))
	defer server.Close()
	p.url = server.URL
	var platforms []string
	if !*all {
		platforms = []string{"PLATFORMS=" + runtime.GOOS + "/" + runtime.GOARCH}
	}
	release(t, harness.Root(t), p.dir, append(platforms, "REPO_URL="+p.url+"/")...)
	t.Run("plug-in repository", p.repository)
	t.Run("licenses", p.licenses)
	t.Run("Homebrew formula", p.formula)
	t.Run("Debian package", p.debian)
	t.Run("same bytes", p.rebuildPackages)
	if *all {
		t.Run("every platform", p.start)
	}
}

// listing is the part of a repository's list that the IBM Cloud CLI reads.
type listing struct {
	Plugins []struct {
		Name     string
		Aliases  []string
		Versions []struct {
			Version                  string
			MinCLIVersion            string `json:"min_cli_version"`
			PrivateEndpointSupported bool   `json:"private_endpoint_supported"`
			Binaries                 []struct{ Platform, URL, Checksum string }
		}
	}
}

// repository imitates 'ibmcloud plugin repo-add' and 'ibmcloud plugin install fnr': it reads the list, downloads this
// machine's binary, verifies the checksum, copies the binary to the CLI's plug-in directory, and compares the binary's
// metadata with the list.
func (p published) repository(t *testing.T) {
	text := get(t, p.url+"/bx/list")
	if !bytes.Equal(text, get(t, p.url+"/list")) {
		t.Error("list and bx/list differ")
	}
	var list listing
	if err := json.Unmarshal(text, &list); err != nil || len(list.Plugins) != 1 || len(list.Plugins[0].Versions) != 1 {
		t.Fatalf("%v\n%s", err, text)
	}
	entry, version := list.Plugins[0], list.Plugins[0].Versions[0]
	want := map[string]bool{cliPlatform(t): true}
	if *all {
		want = map[string]bool{"osx": true, "osx-arm64": true, "win64": true, "linux64": true, "linux-arm64": true, "ppc64le": true, "s390x": true}
	}
	conf := t.TempDir()
	installed := filepath.Join(conf, "plugins", entry.Name, entry.Name)
	for _, b := range version.Binaries {
		if !want[b.Platform] {
			t.Errorf("platform %s is unexpected or listed twice", b.Platform)
		}
		delete(want, b.Platform)
		data := get(t, b.URL)
		if sum := fmt.Sprintf("%x", sha1.Sum(data)); sum != b.Checksum {
			t.Errorf("%s: checksum %s, the list says %s", b.URL, sum, b.Checksum)
		}
		if b.Platform == cliPlatform(t) {
			put(t, installed, data)
		}
	}
	if len(want) > 0 {
		t.Errorf("platforms are missing: %v", want)
	}
	cmd := exec.Command(installed, "SendMetadata")
	cmd.Env = []string{"HOME=" + conf, "IBMCLOUD_CONFIG_HOME=" + conf}
	out, err := cmd.Output()
	var m sdk.PluginMetadata
	if err == nil {
		err = json.Unmarshal(out, &m)
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if m.Name != entry.Name || m.Version.String() != version.Version || !reflect.DeepEqual(m.Aliases, entry.Aliases) ||
		m.MinCliVersion.String() != version.MinCLIVersion || m.PrivateEndpointSupported != version.PrivateEndpointSupported {
		t.Errorf("the list says %+v, the plug-in %s %v %s %v %v", entry, m.Name, m.Aliases, m.Version, m.MinCliVersion, m.PrivateEndpointSupported)
	}
}

// rebuildPackages rebuilds the packages from the same binaries.
func (p published) rebuildPackages(t *testing.T) {
	dir := t.TempDir()
	binaries, err := filepath.Glob(filepath.Join(p.dir, "fn-runtime-*-*"))
	if err != nil || len(binaries) == 0 {
		t.Fatal(err, binaries)
	}
	for _, b := range binaries {
		if err := os.Symlink(b, filepath.Join(dir, filepath.Base(b))); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("go", "run", "./bin/packages", "-url", p.url, dir)
	cmd.Dir = harness.Root(t)
	cmd.Env = append(os.Environ(), "TZ=Asia/Tokyo", "HOME="+dir, "GOCACHE="+env(t, "GOCACHE"), "GOMODCACHE="+env(t, "GOMODCACHE"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	check := exec.Command("sha256sum", "--check", "--strict", "--ignore-missing", filepath.Join(p.dir, "SHA256SUMS"))
	check.Dir = dir
	out, err := check.CombinedOutput()
	for _, name := range []string{"LICENSE: OK", "NOTICE: OK", "list: OK", "fn-runtime.rb: OK", ".deb: OK"} {
		if err != nil || !strings.Contains(string(out), name) {
			t.Errorf("%v, no %q in:\n%s", err, name, out)
		}
	}
}

// cliPlatform returns the IBM Cloud CLI's name of this platform.
func cliPlatform(t *testing.T) string {
	t.Helper()
	name := map[string]string{
		"linux/amd64": "linux64", "linux/arm64": "linux-arm64", "darwin/amd64": "osx", "darwin/arm64": "osx-arm64",
	}[runtime.GOOS+"/"+runtime.GOARCH]
	if name == "" {
		t.Fatalf("the test does not know what the CLI calls %s/%s", runtime.GOOS, runtime.GOARCH)
	}
	return name
}

func get(t *testing.T, url string) []byte {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", url, resp.Status, err)
	}
	return data
}

// put writes an executable file.
func put(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o755); err != nil {
		t.Fatal(err)
	}
}
