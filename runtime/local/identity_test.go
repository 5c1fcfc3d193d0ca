package local

import (
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The free port is not an ephemeral port, because another program could use such a port when the endpoint starts again.
func TestFreePortIsNotEphemeral(t *testing.T) {
	l, err := listen(0, 0, "--port")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if got := portOf(l); got < 20_000 || got >= 32_768 {
		t.Errorf("got port %d, want a port from 20000 to 32767", got)
	}
}

// Keys of an earlier release are replaced, because its client configurations could disclose them to other programs. The
// namespace, the port and the user part of the API key stay the same, so that existing runtimes remain available.
func TestKeysOfEarlierReleaseAreReplaced(t *testing.T) {
	o := options(t)
	first := mustStart(t, o)
	if err := Stop(t.Context(), o.Dir); err != nil {
		t.Fatal(err)
	}
	kept := mustStart(t, o)
	if kept.APIKey != first.APIKey || kept.SecretKey != first.SecretKey {
		t.Error("a restart replaces the keys")
	}
	if err := Stop(t.Context(), o.Dir); err != nil {
		t.Fatal(err)
	}
	earlier, err := readInfo(o.Dir)
	if err != nil {
		t.Fatal(err)
	}
	earlier.Keys, earlier.S3Port, earlier.S3Endpoint = 0, 1, "http://127.0.0.1:1"
	if err := writeInfo(o.Dir, earlier); err != nil {
		t.Fatal(err)
	}
	now := mustStart(t, o)
	if now.APIKey == first.APIKey || now.Token == first.Token || now.AccessKey == first.AccessKey || now.SecretKey == first.SecretKey {
		t.Error("a key of an earlier release is still valid")
	}
	user := func(i Info) string { u, _, _ := strings.Cut(i.APIKey, ":"); return u }
	if user(now) != user(first) || now.NamespaceID != first.NamespaceID || now.Port != first.Port {
		t.Errorf("user %s, namespace %s, port %d; before %s, %s, %d", user(now), now.NamespaceID, now.Port, user(first), first.NamespaceID, first.Port)
	}
	if now.S3Port != 0 || now.S3Endpoint != now.Endpoint {
		t.Errorf("the store without TLS still exists: %s", now.S3Endpoint)
	}
	if status, body := call(t, first, "GET", "/api/v1/namespaces", ""); status != 401 {
		t.Errorf("with the token of an earlier release: %d %s", status, body)
	}
}

// The bundle contains the CAs that clients trusted before, each once, even if the endpoint is restarted from a shell in
// which REQUESTS_CA_BUNDLE is already the bundle.
func TestBundleContainsTrustedCAs(t *testing.T) {
	o := options(t)
	want := map[string]string{}
	for _, name := range []string{"SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"} {
		want[name] = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte(name)}))
		dir := t.TempDir()
		file := filepath.Join(dir, "bundle")
		if err := os.WriteFile(file, []byte("# "+name+"\n"+want[name]), 0o600); err != nil {
			t.Fatal(err)
		}
		if name == "REQUESTS_CA_BUNDLE" { // Python's requests also accepts a directory
			file = dir
		}
		t.Setenv(name, file)
	}
	for range 2 {
		i := mustStart(t, o)
		bundle, err := os.ReadFile(i.CABundle)
		if err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(i.CABundle); err != nil || info.Mode().Perm() != 0o644 {
			t.Errorf("the bundle is not readable for containers that do not run as root: %v, %v", info.Mode(), err)
		}
		ca, _ := os.ReadFile(i.CAFile)
		want["the endpoint"] = string(ca)
		for name, text := range want {
			if n := strings.Count(string(bundle), text); n != 1 {
				t.Errorf("the bundle contains the CA of %s %d times, want once", name, n)
			}
		}
		if err := Stop(t.Context(), o.Dir); err != nil {
			t.Fatal(err)
		}
		t.Setenv("REQUESTS_CA_BUNDLE", i.CABundle)
	}
}
