package transport

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"fn-runtime/runtime/text"
)

// Secrets in all locations that can hold one do not appear in the trace.
func TestTraceKeepsSecrets(t *testing.T) {
	var out bytes.Buffer
	cases := []struct{ kind, request, response string }{
		{"application/json", `{"exec":{"kind":"blackbox","image":"user/img","code":"SECRET1"},"limits":{"memory":256},"parameters":[{"key":"k","value":"SECRET2"}]}`,
			`{"access_token":"SECRET3","refresh_token":"SECRET4","expires_in":3600,"activationId":"abc","logs":["SECRET5"],"response":{"result":{"x":"SECRET6","y":["SECRET7"]}}}`},
		{"application/x-www-form-urlencoded", "grant_type=g&apikey=SECRET8", ""},
		{"application/xml", "<Delete><Object><Key>lithops.jobs/a</Key></Object><Owner><DisplayName>SECRET9</DisplayName></Owner></Delete>", `<Error><Code>AccessDenied</Code><AWSAccessKeyId>SECRETA</AWSAccessKeyId></Error>`},
		{"application/octet-stream", "SECRETB", "SECRETC"},
		{"application/json", `{"error": broken SECRETD`, `{"error":"your key user:SECRETPASS was refused, as was ` + "SECRETHMAC" + `"}`},
		{"text/plain", "SECRETF", "SECRETG"},
	}
	for _, c := range cases {
		s := &script{steps: []step{{status: 200, body: c.response, header: http.Header{
			"Content-Type": {c.kind}, "Set-Cookie": {"SECRETH"}, "X-Request-Id": {"shown-id"}, "Location": {"https://x/?token=SECRETI"}}}}}
		rt := New(Options{Base: s, Trace: &out, Origin: "https://api.test", Auth: Auth{Basic: "user:SECRETPASS"}, Secrets: []string{"SECRETHMAC"}})
		req := request(t, t.Context(), "PUT", c.request)
		req.Header.Set("Content-Type", c.kind)
		req.Header.Set("X-Amz-Security-Token", "SECRETJ")
		req.URL.RawQuery = "overwrite=true&X-Amz-Signature=SECRETK&continuation-token=SECRETL"
		if _, err := rt.RoundTrip(req); err != nil {
			t.Fatal(err)
		}
	}
	text := out.String()
	for line := range strings.Lines(text) {
		if strings.Contains(line, "SECRET") {
			t.Errorf("shown: %s", line)
		}
	}
	for _, want := range []string{"REQUEST: [", "PUT /x?", "overwrite=true", "RESPONSE: [", "X-Request-Id: shown-id", hidden,
		`"image":"user/img"`, `"memory":256`, `"activationId":"abc"`, "<Key>lithops.jobs/a</Key>", "<Code>AccessDenied</Code>", "grant_type=g"} {
		if !strings.Contains(text, want) {
			t.Errorf("not shown: %s", want)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
}

func TestTraceIsPrintable(t *testing.T) {
	var out bytes.Buffer
	s := &script{steps: []step{{status: 200, body: `{"error":"\u001b]0;title\u0007\u202e` + strings.Repeat("x", 20000) + `"}`,
		header: http.Header{"Content-Type": {"application/json"}, "Server": {"\x1b[2J"}}}}}
	if _, err := New(Options{Base: s, Trace: &out}).RoundTrip(request(t, t.Context(), "GET", "")); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(out.String(), "\x1b\x07\u202e") {
		t.Errorf("%q", out.String())
	}
	if out.Len() > 2*maxShown {
		t.Errorf("%d bytes", out.Len())
	}
}

func FuzzRedact(f *testing.F) {
	f.Add("application/json", []byte(`{"token":"MARKED"}`))
	f.Add("text/xml", []byte(`<a>MARKED</a>`))
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		var b strings.Builder
		writeBody(&b, kind, body, func(text string) string { return text })
		if b.Len() > maxShown+len("\n\n...")+300 {
			t.Errorf("%d bytes", b.Len())
		}
	})
}

func FuzzPrintable(f *testing.F) {
	f.Add("a\x1b[31m\n b\u202e", 10)
	f.Fuzz(func(t *testing.T, s string, n int) {
		n = 10 + n&0xff
		got := text.Line(s, n)
		if len(got) > n+3 || strings.ContainsAny(got, "\x00\x1b\n\r\t\u202e\u2066") {
			t.Errorf("%q", got)
		}
	})
}

// The trace does not change the body that is sent, even if a library's second copy of a body ends the first one.
func TestTraceDoesNotChangeTheBody(t *testing.T) {
	s := &script{steps: []step{{status: 503}, {status: 200}}}
	var trace bytes.Buffer
	req := request(t, t.Context(), "PUT", "body")
	shared := &oneReader{text: "body"}
	req.GetBody = func() (io.ReadCloser, error) { return shared.next(), nil }
	req.Body = shared.next()
	req.Header.Set("Content-Type", "application/json")
	if _, err := New(Options{Base: s, Trace: &trace}).RoundTrip(req); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(s.sent, []string{"body", "body"}) {
		t.Errorf("sent %q", s.sent)
	}
}

// oneReader returns readers of which only the last one works, as in the S3 SDK.
type oneReader struct {
	text string
	last *strings.Reader
}

func (o *oneReader) next() io.ReadCloser {
	if o.last != nil {
		_, _ = o.last.Seek(0, io.SeekEnd)
	}
	o.last = strings.NewReader(o.text)
	return io.NopCloser(o.last)
}

// A text is not cut within a secret, and a secret is detected in its JSON and XML escapes.
func TestCutAndEscapedSecretsAreHidden(t *testing.T) {
	const secret = `p&ss<w>"0rd\SECRET-SECRET-SECRET`
	for name, body := range map[string]string{
		"cut":     `{"error":"` + strings.Repeat("x", maxShown-len(`{"error":"`)-20) + `SECRET-SECRET-SECRET-HMAC"}`,
		"escaped": `{"error":"p\u0026ss\u003cw\u003e\"0rd\\SECRET-SECRET-SECRET"}`,
		"plain":   `{"error":"p&ss<w>\"0rd\\SECRET-SECRET-SECRET"}`,
		"xml":     `<Error><Message>p&amp;ss&lt;w&gt;&#34;0rd\SECRET-SECRET-SECRET</Message></Error>`,
	} {
		var out bytes.Buffer
		kind := "application/json"
		if name == "xml" {
			kind = "application/xml"
		}
		s := &script{steps: []step{{status: 400, body: body, header: http.Header{"Content-Type": {kind}, "Server": {strings.Repeat("y", 490) + "SECRET-SECRET-SECRET-HMAC"}}}}}
		rt := New(Options{Base: s, Trace: &out, Secrets: []string{"SECRET-SECRET-SECRET-HMAC", secret}})
		resp, err := rt.RoundTrip(request(t, t.Context(), "GET", ""))
		if err != nil {
			t.Fatal(err)
		}
		if i := strings.Index(out.String(), "SECRET"); i >= 0 {
			t.Errorf("%s: the trace shows %q", name, out.String()[i:min(i+40, out.Len())])
		}
		if body, _ := io.ReadAll(resp.Body); strings.Contains(string(body), "SECRET") {
			t.Errorf("%s: the error response shows %.80q", name, body)
		}
	}
}
