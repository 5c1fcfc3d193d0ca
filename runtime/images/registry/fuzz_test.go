package registry

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"fn-runtime/runtime/fault"
)

// FuzzCredentials reads any config.json of the Docker CLI. It does not run credential helpers, which are programs.
func FuzzCredentials(f *testing.F) {
	for _, s := range []string{`{"auths":{"us.icr.io":{"auth":"dTpw"}}}`, `{"auths":{"us.icr.io":{"auth":"!"}}}`, `{"auths":{"us.icr.io":{"auth":"dQ=="}}}`,
		`{"auths":null}`, `{"auths":{"https://us.icr.io/v1/":{"identitytoken":"t"}}}`, `[]`, `null`, `{"auths":{"us.icr.io":[]}}`, `{"proxies":{"default":1}}`, ``} {
		f.Add([]byte(s))
	}
	dir := f.TempDir()
	f.Setenv("PATH", dir) // no helper is found
	f.Fuzz(func(t *testing.T, config []byte) {
		if err := os.WriteFile(filepath.Join(dir, "config.json"), config, 0o600); err != nil {
			t.Fatal(err)
		}
		c := Credentials{Dir: dir}
		for _, host := range []string{"us.icr.io", "docker.io"} {
			if a, err := c.For(context.Background(), host); err != nil && (fault.KindOf(err) == "" || a.Password != "") {
				t.Errorf("%+v, %v", a, err)
			}
		}
		c.All(t.Context())
	})
}

type response struct {
	status           int
	head, auth, body string
}

func (s response) RoundTrip(r *http.Request) (*http.Response, error) {
	h := http.Header{"Docker-Content-Digest": {s.head}, "Content-Type": {"application/vnd.oci.image.manifest.v1+json"}, "Content-Length": {"10"}}
	if s.auth != "" {
		h.Set("WWW-Authenticate", s.auth)
	}
	status := s.status
	if strings.HasSuffix(r.URL.Path, "/v2/") && status >= 500 {
		status = 200
	}
	return &http.Response{StatusCode: status, Header: h, ContentLength: 10, Body: io.NopCloser(strings.NewReader(s.body)), Request: r}, nil
}

// FuzzDigest reads any response of a registry and of its token service. The result is a valid digest or a fault. The
// password is sent only over TLS.
func FuzzDigest(f *testing.F) {
	f.Add(200, "sha256:"+strings.Repeat("a", 64), "", "")
	f.Add(401, "", `Bearer realm="https://us.icr.io/token",service="x",scope="y"`, `{"token":"t","expires_in":1e999}`)
	f.Add(401, "", `Bearer realm="http://evil.test/token",service="x"`, `{"access_token":[]}`)
	f.Add(401, "", `Basic`, `{"errors":[{"code":1}]}`)
	f.Add(429, "sha256:x", `,,,="`, `<html>`)
	digest := regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)
	f.Fuzz(func(t *testing.T, status int, head, auth, body string) {
		if status < 200 || status > 599 {
			return
		}
		roundTrip := func(r *http.Request) (*http.Response, error) {
			_, password, _ := r.BasicAuth()
			if password == "s3cret" && r.URL.Scheme != "https" {
				t.Errorf("the password was sent to %s", r.URL)
			}
			return response{status, head, auth, body}.RoundTrip(r)
		}
		c := Credentials{Server: "us.icr.io", User: "u", Password: "s3cret"}
		got, err := c.Digest(context.Background(), named(t, "us.icr.io/me/img:1"), roundTripper(roundTrip))
		if err == nil && !digest.MatchString(got) || err != nil && fault.KindOf(err) == "" {
			t.Errorf("%q, %v", got, err)
		}
		if err != nil && strings.Contains(err.Error(), "s3cret") && !strings.Contains(head+auth+body, "s3cret") {
			t.Errorf("the password is in %v", err)
		}
	})
}
