package connect

import (
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// This program trusts the CA bundles of the client's libraries in addition to the CAs of the system. Each library of
// the client trusts only its own bundle. Doctor reports each service that this program trusts and the client does
// not.
func TestServerNotTrustedByTheClient(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/api/v1/") {
			_, _ = io.WriteString(w, `["guest"]`)
		}
	}))
	t.Cleanup(server.Close)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	trusted, untrusted := filepath.Join(t.TempDir(), "trusted.pem"), filepath.Join(t.TempDir(), "others.pem")
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	for file, text := range map[string][]byte{trusted: certificate, untrusted: []byte("# none\n")} {
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, tc := range map[string]struct {
		env             map[string]string
		session, bucket string // expected in the problem; "" if there is none
	}{
		"requests trusts":          {map[string]string{"REQUESTS_CA_BUNDLE": trusted}, "", ""},
		"only botocore trusts":     {map[string]string{"REQUESTS_CA_BUNDLE": untrusted, "AWS_CA_BUNDLE": trusted}, "REQUESTS_CA_BUNDLE", ""},
		"only requests trusts":     {map[string]string{"REQUESTS_CA_BUNDLE": trusted, "AWS_CA_BUNDLE": untrusted}, "", "AWS_CA_BUNDLE"},
		"fallback to curl bundle":  {map[string]string{"CURL_CA_BUNDLE": untrusted, "AWS_CA_BUNDLE": trusted}, "CURL_CA_BUNDLE", ""},
		"directory, as of OpenSSL": {map[string]string{"REQUESTS_CA_BUNDLE": filepath.Dir(trusted)}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOptions(t, "3.7.0", strings.ReplaceAll(plainOpenWhisk(server.URL), "http://127.0.0.1:9", server.URL))
			getenv := o.Host.Getenv
			o.Host.Getenv = func(key string) string {
				if v, ok := tc.env[key]; ok {
					return v
				}
				return getenv(key)
			}
			s, err := Open(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Compute.Scopes(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Store.BucketExists(t.Context()); err != nil {
				t.Fatal(err)
			}
			for check, want := range map[string]string{"session": tc.session, "bucket": tc.bucket} {
				got := s.ClientProblem(check)
				if (got == nil) != (want == "") || got != nil && !strings.Contains(got.Error(), "("+want+")") {
					t.Errorf("%s: got %v, want a problem with %q", check, got, want)
				}
			}
		})
	}
}
