package transport

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"fn-runtime/runtime/fault"
)

// FuzzToken reads any response of the identity service. Only a success yields a token, and no error contains the key.
func FuzzToken(f *testing.F) {
	for _, s := range []string{`{"access_token":"t","expiration":1893456000}`, `{"access_token":"t","expiration":1e300}`, `{"access_token":"t","expiration":-1e300}`,
		`{"access_token":1}`, `{"errorMessage":"No` + "\x1b[2J" + `"}`, `null`, `[]`, `<html>`, ``} {
		for _, status := range []int{200, 400, 404, 503} {
			f.Add(status, s)
		}
	}
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 200 || status > 599 {
			return
		}
		rt := roundTripper(func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
		})
		token, err := APIKeyToken("https://iam.test", "the-key-itself", rt)(t.Context(), false)
		switch {
		case err == nil && (token == "" || status >= 300):
			t.Errorf("%d returned %q", status, token)
		case err != nil && (fault.KindOf(err) == "" || token != ""):
			t.Errorf("%q, %v", token, err)
		case err != nil && !strings.Contains(body, "the-key-itself") && strings.Contains(err.Error(), "the-key-itself"), err != nil && strings.ContainsRune(err.Error(), '\x1b'):
			t.Errorf("%q", err)
		}
	})
}
