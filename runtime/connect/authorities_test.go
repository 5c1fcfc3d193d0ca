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

// We trust the bundles of the client's libraries beside the system's authorities, the client each of them alone: where a
// server is known to us and not to the client, doctor says so, of each service by itself.
func TestAServerThatTheClientDoesNotTrust(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/api/v1/") {
			_, _ = io.WriteString(w, `["guest"]`)
		}
	}))
	t.Cleanup(server.Close)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	knows, knowsNot := filepath.Join(t.TempDir(), "knows.pem"), filepath.Join(t.TempDir(), "others.pem")
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	for file, text := range map[string][]byte{knows: certificate, knowsNot: []byte("# none\n")} {
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, tc := range map[string]struct {
		env             map[string]string
		session, bucket string // in the doubts; "" is none
	}{
		"requests knows":            {map[string]string{"REQUESTS_CA_BUNDLE": knows}, "", ""},
		"only the store's does":     {map[string]string{"REQUESTS_CA_BUNDLE": knowsNot, "AWS_CA_BUNDLE": knows}, "REQUESTS_CA_BUNDLE", ""},
		"only that of requests":     {map[string]string{"REQUESTS_CA_BUNDLE": knows, "AWS_CA_BUNDLE": knowsNot}, "", "AWS_CA_BUNDLE"},
		"curl's stands in":          {map[string]string{"CURL_CA_BUNDLE": knowsNot, "AWS_CA_BUNDLE": knows}, "CURL_CA_BUNDLE", ""},
		"a folder, as OpenSSL's is": {map[string]string{"REQUESTS_CA_BUNDLE": filepath.Dir(knows)}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			o := home(t, "3.7.0", strings.ReplaceAll(plainOpenWhisk(server.URL), "http://127.0.0.1:9", server.URL))
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
					t.Errorf("%s: got %v, want a doubt because of %q", check, got, want)
				}
			}
		})
	}
}
