package local

import (
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A port that systems give to connections may be another program's when the endpoint comes back.
func TestAFreePortIsNoneThatSystemsGiveToConnections(t *testing.T) {
	l, err := listen(0, 0, "--port")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if got := portOf(l); got < 20_000 || got >= 32_768 {
		t.Errorf("got port %d, want one of 20000 to 32767", got)
	}
}

// Configurations of earlier releases gave their keys to whoever listened. These keys open nothing any more; what was
// deployed under them is found again.
func TestKeysOfAnEarlierReleaseEnd(t *testing.T) {
	o := options(t)
	first := mustStart(t, o)
	if err := Stop(t.Context(), o.Dir); err != nil {
		t.Fatal(err)
	}
	kept := mustStart(t, o)
	if kept.APIKey != first.APIKey || kept.SecretKey != first.SecretKey {
		t.Error("a restart makes new keys")
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
		t.Error("a key of an earlier release is still good")
	}
	user := func(i Info) string { u, _, _ := strings.Cut(i.APIKey, ":"); return u }
	if user(now) != user(first) || now.NamespaceID != first.NamespaceID || now.Port != first.Port {
		t.Errorf("user %s, namespace %s, port %d; before %s, %s, %d", user(now), now.NamespaceID, now.Port, user(first), first.NamespaceID, first.Port)
	}
	if now.S3Port != 0 || now.S3Endpoint != now.Endpoint {
		t.Errorf("the store without TLS is still there: %s", now.S3Endpoint)
	}
	if status, body := call(t, first, "GET", "/api/v1/namespaces", ""); status != 401 {
		t.Errorf("with the token of an earlier release: %d %s", status, body)
	}
}

// The bundle replaces what a client trusts: what it trusted before is in it, also when the endpoint is started again
// from a shell that has the bundle already.
func TestBundleHoldsWhatWasTrusted(t *testing.T) {
	o := options(t)
	want := map[string]string{}
	for _, name := range []string{"SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"} {
		want[name] = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte(name)}))
		folder := t.TempDir()
		file := filepath.Join(folder, "bundle")
		if err := os.WriteFile(file, []byte("# "+name+"\n"+want[name]), 0o600); err != nil {
			t.Fatal(err)
		}
		if name == "REQUESTS_CA_BUNDLE" { // which may be a folder, as Python's requests takes it
			file = folder
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
			t.Errorf("containers that do not run as root cannot read the bundle: %v, %v", info.Mode(), err)
		}
		ca, _ := os.ReadFile(i.CAFile)
		want["the endpoint"] = string(ca)
		for name, text := range want {
			if n := strings.Count(string(bundle), text); n != 1 {
				t.Errorf("the authority of %s is in the bundle %d times", name, n)
			}
		}
		if err := Stop(t.Context(), o.Dir); err != nil {
			t.Fatal(err)
		}
		t.Setenv("REQUESTS_CA_BUNDLE", i.CABundle)
	}
}
