package s3

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // signature version 2
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// store is a test client with a signing key, and a handler with a fixed clock.
type store struct {
	t *testing.T
	h http.Handler
}

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func newStore(t *testing.T) store {
	return store{t, handler(t, func() time.Time { return noon })}
}

// do sends a signed request. Each of headers has the form "name: value".
func (s store) do(method, target, body string, headers ...string) *httptest.ResponseRecorder {
	s.t.Helper()
	h := map[string]string{"Content-Length": strconv.Itoa(len(body))}
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		h[name] = value
	}
	w := httptest.NewRecorder()
	s.h.ServeHTTP(w, signed(method, target, sha256Hex(body), noon.Format(timeFormat), strings.NewReader(body), h))
	return w
}

// want sends a request and compares the status code, followed by the error code if there is one.
func (s store) want(status, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	s.t.Helper()
	w := s.do(method, target, body, headers...)
	got := fmt.Sprint(w.Code)
	if code := element(w, "Code"); code != "" {
		got += " " + code
	}
	if got != status {
		s.t.Errorf("%s %s %v: got %s, want %s\n%s", method, target, headers, got, status, w.Body)
	}
	return w
}

func element(w *httptest.ResponseRecorder, name string) string {
	m := regexp.MustCompile(`<` + name + `(?: [^>]*)?>([^<]*)</` + name + `>`).FindStringSubmatch(w.Body.String())
	if m == nil {
		return ""
	}
	return strings.ReplaceAll(m[1], "&#34;", `"`)
}

func TestErrorsAreXMLDocuments(t *testing.T) {
	s := newStore(t)
	for _, c := range []struct{ status, method, target, body string }{
		{"404 NoSuchKey", "GET", "/bucket/none", ""},
		{"404 NoSuchBucket", "GET", "/none/none", ""},
		{"404 NoSuchUpload", "GET", "/bucket/k?uploadId=none", ""},
		{"405 MethodNotAllowed", "POST", "/bucket/k", ""},
		{"400 MalformedXML", "POST", "/bucket?delete", "<no"},
		{"501 NotImplemented", "PUT", "/bucket?cors", ""},
		{"400 MalformedXML", "PUT", "/bucket?versioning", "<VersioningConfiguration/>"},
		{"501 NotImplemented", "PUT", "/bucket?versioning", "<VersioningConfiguration><Status>Enabled</Status><MfaDelete>Enabled</MfaDelete></VersioningConfiguration>"},
		{"400 InvalidArgument", "GET", "/bucket/k?versionId=none", ""},
	} {
		w := s.want(c.status, c.method, c.target, c.body)
		if element(w, "Message") == "" || element(w, "RequestId") == "" || element(w, "RequestId") != w.Header().Get("X-Amz-Request-Id") || w.Header().Get("Content-Type") != "application/xml" {
			t.Errorf("%s %s: %v %s", c.method, c.target, w.Header(), w.Body)
		}
	}
}

// A body that is not received in time causes RequestTimeout: SDKs retry it.
func TestBodyTimeoutReturnsRequestTimeout(t *testing.T) {
	s := newStore(t)
	w := httptest.NewRecorder()
	s.h.ServeHTTP(w, signed("PUT", "/bucket/k", "UNSIGNED-PAYLOAD", noon.Format(timeFormat), iotest.ErrReader(os.ErrDeadlineExceeded), map[string]string{"Content-Length": "1"}))
	if got := element(w, "Code"); got != "RequestTimeout" {
		t.Errorf("got %s\n%s", got, w.Body)
	}
}

func TestObjectHeadersAreReturned(t *testing.T) {
	s := newStore(t)
	headers := []string{"Cache-Control: no-cache", "Content-Language: de", "Content-Encoding: gzip", "Content-Disposition: inline",
		"Expires: Thu, 01 Jan 2026 00:00:00 GMT", "Content-Type: text/x", "x-amz-meta-a-b: c"}
	s.want("200", "PUT", "/bucket/k", "x", headers...)
	w := s.want("200", "HEAD", "/bucket/k", "")
	for _, line := range headers {
		name, want, _ := strings.Cut(line, ": ")
		if got := w.Header()[name]; len(got) != 1 || got[0] != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	w = s.want("200", "GET", "/bucket/k?response-content-type=text/y&response-expires=never", "")
	if got := w.Header().Get("Content-Type") + w.Header().Get("Expires"); got != "text/ynever" {
		t.Errorf("got %q", got)
	}
	s.want("200", "PUT", "/bucket/plain", "x")
	if got := s.do("GET", "/bucket/plain", "").Header().Get("Content-Type"); got != "binary/octet-stream" {
		t.Errorf("without Content-Type: got %q", got)
	}
}

func TestCopyObject(t *testing.T) {
	s := newStore(t)
	s.want("200", "PUT", "/bucket/a", "text", "x-amz-meta-old: 1", "Content-Type: text/x", "x-amz-tagging: t=1")
	s.want("200", "PUT", "/bucket/same", "", "x-amz-copy-source: /bucket/a")
	s.want("200", "PUT", "/bucket/other", "", "x-amz-copy-source: bucket/a", "x-amz-metadata-directive: REPLACE", "x-amz-meta-new: 2", "x-amz-tagging-directive: REPLACE")
	meta := func(target string) string {
		h := s.do("HEAD", target, "").Header()
		return fmt.Sprintf("%v %v %s %s", h["x-amz-meta-old"], h["x-amz-meta-new"], h.Get("Content-Type"), h.Get("X-Amz-Tagging-Count"))
	}
	if got := meta("/bucket/same"); got != "[1] [] text/x 1" {
		t.Errorf("a copy has %s", got)
	}
	if got := meta("/bucket/other"); got != "[] [2] binary/octet-stream " {
		t.Errorf("a copy with replaced metadata has %s", got)
	}
	s.want("400 InvalidRequest", "PUT", "/bucket/a", "", "x-amz-copy-source: /bucket/a")
	s.want("200", "PUT", "/bucket/a", "", "x-amz-copy-source: /bucket/a", "x-amz-metadata-directive: REPLACE")
	s.want("404 NoSuchKey", "PUT", "/bucket/x", "", "x-amz-copy-source: /bucket/none")
	s.want("412 PreconditionFailed", "PUT", "/bucket/x", "", "x-amz-copy-source: /bucket/a", `x-amz-copy-source-if-match: "none"`)
	s.want("412 PreconditionFailed", "PUT", "/bucket/x", "", "x-amz-copy-source: /bucket/a", "x-amz-copy-source-if-none-match: *")
	s.want("412 PreconditionFailed", "PUT", "/bucket/same", "", "x-amz-copy-source: /bucket/a", "If-None-Match: *")
}

func TestConditionalRequests(t *testing.T) {
	s := newStore(t)
	etag := s.want("200", "PUT", "/bucket/k", "1").Header().Get("ETag")
	before, after := "Thu, 01 Jan 2015 00:00:00 GMT", "Thu, 01 Jan 2099 00:00:00 GMT"
	for _, c := range []struct {
		status, method, target string
		headers                []string
	}{
		{"200", "GET", "/bucket/k", []string{"If-Match: " + etag}},
		{"412 PreconditionFailed", "GET", "/bucket/k", []string{`If-Match: "no"`}},
		{"304", "GET", "/bucket/k", []string{"If-None-Match: " + etag}},
		{"304", "HEAD", "/bucket/k", []string{"If-Modified-Since: " + after}},
		{"200", "GET", "/bucket/k", []string{"If-Modified-Since: " + before}},
		{"412 PreconditionFailed", "GET", "/bucket/k", []string{"If-Unmodified-Since: " + before}},
		{"200", "GET", "/bucket/k", []string{"If-Unmodified-Since: " + before, "If-Match: " + etag}},
		{"412 PreconditionFailed", "PUT", "/bucket/k", []string{"If-None-Match: *"}},
		{"412 PreconditionFailed", "PUT", "/bucket/k", []string{`If-Match: "no"`}},
		{"404 NoSuchKey", "PUT", "/bucket/new", []string{"If-Match: *"}},
		{"200", "PUT", "/bucket/k", []string{"If-Match: *"}},
		{"501 NotImplemented", "PUT", "/bucket/k", []string{"If-Unmodified-Since: " + before}},
		{"501 NotImplemented", "PUT", "/bucket/k?tagging", []string{"If-Match: *"}},
		{"501 NotImplemented", "PUT", "/bucket/k", []string{"x-amz-object-lock-mode: GOVERNANCE"}},
		{"501 NotImplemented", "PUT", "/bucket/k", []string{"x-amz-server-side-encryption-customer-key: x"}},
		{"501 NotImplemented", "PUT", "/bucket/k", []string{"x-amz-acl: public-read"}},
		{"403 AccessDenied", "PUT", "/bucket/k", []string{"x-amz-expected-bucket-owner: other"}},
		{"412 PreconditionFailed", "DELETE", "/bucket/k", []string{`If-Match: "no"`}},
		{"412 PreconditionFailed", "DELETE", "/bucket/k", []string{"x-amz-if-match-size: 9"}},
		{"412 PreconditionFailed", "DELETE", "/bucket/k", []string{"x-amz-if-match-last-modified-time: " + before}},
		{"501 NotImplemented", "DELETE", "/bucket/k", []string{"If-None-Match: *"}},
	} {
		s.want(c.status, c.method, c.target, "", c.headers...)
	}
	w := s.do("POST", "/bucket?delete", `<Delete><Object><Key>k</Key><ETag>no</ETag></Object><Object><Key>none</Key></Object></Delete>`)
	if !strings.Contains(w.Body.String(), "<Key>k</Key><Code>PreconditionFailed</Code>") {
		t.Errorf("%s", w.Body)
	}
	s.want("200", "GET", "/bucket/k", "")
	s.want("204", "DELETE", "/bucket/k", "", "If-Match: *")
	s.want("404 NoSuchKey", "GET", "/bucket/k", "")
}

func TestDeleteObjectsLimit(t *testing.T) {
	s := newStore(t)
	document := func(n int) string {
		return "<Delete>" + strings.Repeat("<Object><Key>k</Key></Object>", n) + "</Delete>"
	}
	s.want("200 UserKeyMustBeSpecified", "POST", "/bucket?delete", "<Delete><Object><Key></Key></Object></Delete>")
	s.want("200 KeyTooLongError", "POST", "/bucket?delete", "<Delete><Object><Key>"+strings.Repeat("k", maxKey+1)+"</Key></Object></Delete>")
	s.want("200", "POST", "/bucket?delete", document(1000))
	s.want("400 MalformedXML", "POST", "/bucket?delete", document(1001))
	s.want("400 MalformedXML", "POST", "/bucket?delete", document(0))
}

func TestCombineChecksumsOfParts(t *testing.T) {
	for name := range polynomials {
		a, b := []byte(strings.Repeat("first", 1000)), []byte("second")
		sum := func(data ...[]byte) []byte {
			h := newChecksum(name)
			h.Write(bytes.Join(data, nil))
			return h.Sum(nil)
		}
		number := func(data []byte) (n uint64) {
			for _, x := range data {
				n = n<<8 | uint64(x)
			}
			return n
		}
		if got, want := shift(number(sum(a)), polynomials[name], 8*len(sum()), int64(len(b)))^number(sum(b)), number(sum(a, b)); got != want {
			t.Errorf("%s: got %x, want %x", name, got, want)
		}
	}
}

func TestTags(t *testing.T) {
	s := newStore(t)
	const tags = `<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag></TagSet></Tagging>`
	s.want("200", "PUT", "/bucket/k", "x")
	for target, none := range map[string]string{"/bucket/k?tagging": "200", "/bucket?tagging": "404 NoSuchTagSet"} {
		s.want("200", "PUT", target, tags)
		if w := s.want("200", "GET", target, ""); element(w, "Value") != "1" {
			t.Errorf("%s: %s", target, w.Body)
		}
		s.want("400 InvalidTag", "PUT", target, strings.Replace(tags, ">a<", ">"+strings.Repeat("a", 129)+"<", 1))
		s.want("204", "DELETE", target, "")
		s.want(none, "GET", target, "")
	}
	s.want("404 NoSuchKey", "PUT", "/bucket/none?tagging", tags)
}

func TestListingsContainOwner(t *testing.T) {
	s := newStore(t)
	s.want("200", "PUT", "/bucket/k", "x")
	got := map[string]string{}
	for _, target := range []string{"/", "/bucket", "/bucket?list-type=2", "/bucket?list-type=2&fetch-owner=true", "/bucket?versions", "/bucket?acl"} {
		got[target] = element(s.want("200", "GET", target, ""), "ID")
	}
	want := map[string]string{"/": ownerID, "/bucket": ownerID, "/bucket?list-type=2": "", "/bucket?list-type=2&fetch-owner=true": ownerID, "/bucket?versions": ownerID, "/bucket?acl": ownerID}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestSignatureVersion2PresignedURLs(t *testing.T) {
	s := newStore(t)
	s.want("200", "PUT", "/bucket/a%20b", "text")
	get := func(key string, expires time.Time, method string) int {
		h := hmac.New(sha1.New, []byte(keys.SecretKey))
		fmt.Fprintf(h, "GET\n\n\n%d\n/bucket/a%%20b?response-content-type=text/x", expires.Unix())
		q := url.Values{"AWSAccessKeyId": {keys.AccessKey}, "Expires": {fmt.Sprint(expires.Unix())}, "response-content-type": {"text/x"},
			"Signature": {base64.StdEncoding.EncodeToString(h.Sum(nil))}}
		w := httptest.NewRecorder()
		s.h.ServeHTTP(w, httptest.NewRequest(method, "/bucket/"+key+"?"+q.Encode(), nil))
		return w.Code
	}
	for _, c := range []struct {
		key     string
		expires time.Time
		method  string
		status  int
	}{
		{"a%20b", noon.Add(time.Minute), "GET", 200},
		{"a%20b", noon.Add(-time.Minute), "GET", 403},
		{"a%20b", noon.Add(time.Minute), "DELETE", 403},
		{"other", noon.Add(time.Minute), "GET", 403},
	} {
		if got := get(c.key, c.expires, c.method); got != c.status {
			t.Errorf("%+v: got %d", c, got)
		}
	}
}

func TestCanonicalQueryIsSortedByName(t *testing.T) {
	if got, want := canonicalQuery(url.Values{"select-type": {"2"}, "select": {""}, "a": {"b", "a"}}), "a=a&a=b&select=&select-type=2"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
