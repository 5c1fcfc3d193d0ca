package rest

import (
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

type urlT = url.URL

func parse(s string) (*url.URL, error) { return url.Parse(s) }

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// FuzzAPI sends arbitrary requests. They must not cause a panic or a response with status 500.
func FuzzAPI(f *testing.F) {
	f.Add("PUT", "/api/v1/namespaces/_/packages/p?overwrite=True", `{"annotations":[{"key":"a","value":null}]}`)
	f.Add("PUT", "/api/v1/namespaces/_/actions/p/a", blackbox)
	f.Add("POST", "/api/v1/namespaces/_/actions/p/a?blocking=true", `{"a":1e999}`)
	f.Add("GET", "/api/v1/namespaces/_/activations?since=1&upto=9223372036854775807&skip=1&name=p/a", "")
	f.Add("GET", "/api/v1/namespaces/guest/actions/..%2f..%00/x", "")
	fix := serve(f)
	fix.do("basic", "PUT", "/namespaces/_/packages/p", `{}`)
	handler := fix.Config.Handler
	f.Fuzz(func(t *testing.T, method, target, body string) {
		if !strings.HasPrefix(target, "/") || strings.ContainsAny(method, " \r\n\t") || method == "" {
			return
		}
		if _, err := url.ParseRequestURI(target); err != nil {
			return
		}
		r := httptest.NewRequest("GET", "/", strings.NewReader(body))
		r.Method, r.URL = method, must(url.ParseRequestURI(target))
		r.Header.Set("Authorization", "Bearer "+testToken)
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code >= 500 && w.Code != 502 {
			t.Fatalf("%s %s %s: %d %s", method, target, body, w.Code, w.Body)
		}
	})
}
