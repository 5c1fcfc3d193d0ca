package openwhisk

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// FuzzAnswers sends arbitrary responses to all requests. Nothing may panic, and errors must not be reported as
// success.
func FuzzAnswers(f *testing.F) {
	for _, s := range []string{`null`, `[]`, `{}`, `[null]`, `{"error":null,"code":null}`, `{"response":null}`, `{"response":{"result":[]}}`,
		`[{"name":1}]`, `{"response":{"success":true}}`, `[{"annotations":{}}]`, `{"namespaces":[null]}`, `{"limits":{"memory":1e99}}`, `"x"`, `{"activationId":{}}`} {
		for _, status := range []int{200, 202, 404, 500, 502} {
			f.Add(status, s)
		}
	}
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 200 || status > 599 {
			t.Skip()
		}
		c := New(Options{Endpoint: "https://x.test", Transport: fixedResponse{status, body}})
		ctx := t.Context()
		run, err := c.invoke(ctx, "p", "a", nil)
		if err == nil && status >= 300 && (run.Success || status != 502 && status != 500) {
			t.Errorf("success despite status %d", status)
		}
		_, _ = c.activation(ctx, "a")
		_, _ = c.Action(ctx, "p", "a")
		_, _ = c.namespaces(ctx)
		_, _ = c.createNamespace(ctx, "n", "g")
		n := 0
		for range c.Actions(ctx, "p") {
			if n++; n > 10000 {
				break
			}
		}
		_ = c.deletePackage(ctx, "p")
	})
}

type fixedResponse struct {
	status int
	body   string
}

func (a fixedResponse) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: a.status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(a.body)), Request: req}, nil
}
