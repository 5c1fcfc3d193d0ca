package s3

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

// testForm is a form: fields in the order of their names, then the file.
type testForm struct {
	fields         map[string]string
	filename, file string
	cut            int // bytes that are missing at its end
}

// signedForm returns a form with a policy that is signed with signature version 2 or 4.
func signedForm(version int, conditions string, fields map[string]string) testForm {
	return formExpiring(version, noon.Add(time.Hour), conditions, fields)
}

func formExpiring(version int, expires time.Time, conditions string, fields map[string]string) testForm {
	policy := base64.StdEncoding.EncodeToString(fmt.Appendf(nil, `{"expiration":%q,"conditions":%s}`, expires.Format(time.RFC3339), conditions))
	all := maps.Clone(fields)
	all["policy"] = policy
	if version == 2 {
		h := hmac.New(sha1.New, []byte(keys.SecretKey))
		h.Write([]byte(policy))
		all["AWSAccessKeyId"], all["signature"] = keys.AccessKey, base64.StdEncoding.EncodeToString(h.Sum(nil))
	} else {
		key := []byte("AWS4" + keys.SecretKey)
		for _, p := range []string{"20260102", "us-east-1", "s3", "aws4_request"} {
			key = sign(key, p)
		}
		all["x-amz-signature"] = hex.EncodeToString(sign(key, policy))
		all["x-amz-algorithm"], all["x-amz-credential"], all["x-amz-date"] = algorithm, keys.AccessKey+"/20260102/us-east-1/s3/aws4_request", "20260102T000000Z"
	}
	return testForm{fields: all, filename: "dir/name.txt", file: "content"}
}

func (s store) post(f testForm) *httptest.ResponseRecorder {
	s.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for _, name := range slices.Sorted(maps.Keys(f.fields)) {
		_ = w.WriteField(name, f.fields[name])
	}
	file, err := w.CreateFormFile("file", f.filename)
	if err != nil {
		s.t.Fatal(err)
	}
	_, _ = file.Write([]byte(f.file))
	_ = w.Close()
	body.Truncate(body.Len() - f.cut)
	r := httptest.NewRequest(http.MethodPost, "/bucket", &body)
	r.Header.Set("Content-Type", w.FormDataContentType())
	rec := httptest.NewRecorder()
	s.h.ServeHTTP(rec, r)
	return rec
}

const v4 = `{"x-amz-algorithm":"AWS4-HMAC-SHA256"},["starts-with","$x-amz-credential",""],["starts-with","$x-amz-date",""],`

// An upload that complies with its signed policy is stored with its headers, and the response contains its location.
func TestFormUpload(t *testing.T) {
	s := newStore(t)
	for version, more := range map[int]string{2: "", 4: v4} {
		w := s.post(signedForm(version, `[`+more+`{"bUcket":"bucket"},["starts-with","$kEy","up/"],{"acl":"private"},["eq","$Content-Type","text/plain"],
			["starts-with","$x-amz-meta-a",""],["starts-with","$tagging",""],["content-length-range",7,7],{"success_action_status":"201"}]`, map[string]string{
			"Key": "up/${filename}", "aCl": "private", "Content-Type": "text/plain", "x-amz-meta-a": "b", "x-ignore-this": "x", "success_action_status": "201",
			"tagging": "<Tagging><TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet></Tagging>",
		}))
		if w.Code != http.StatusCreated || element(w, "Key") != "up/name.txt" || element(w, "Location") != "/bucket/up/name.txt" {
			t.Fatalf("version %d: got %d %s, want 201 with the key and its location", version, w.Code, w.Body)
		}
		got := s.want("200", "GET", "/bucket/up/name.txt", "")
		if h := got.Header(); got.Body.String() != "content" || h.Get("Content-Type") != "text/plain" || h["x-amz-meta-a"][0] != "b" || h.Get("X-Amz-Tagging-Count") != "1" {
			t.Errorf("version %d: got %s %v, want the uploaded content and headers", version, got.Body, h)
		}
		s.want("204", "DELETE", "/bucket/up/name.txt", "")
	}
	w := s.post(signedForm(2, `[{"bucket":"bucket"},{"key":"k"},["starts-with","$success_action_redirect",""]]`, map[string]string{"key": "k", "success_action_redirect": "http://127.0.0.1:1/next?a=b"}))
	if want := `http://127.0.0.1:1/next?a=b&bucket=bucket&key=k&etag=%229a0364b9e99bb480dd25e1f0284c8555%22`; w.Code != http.StatusSeeOther || w.Header().Get("Location") != want {
		t.Errorf("with a redirection: got %d %s, want 303 %s", w.Code, w.Header().Get("Location"), want)
	}
}

// An upload that does not comply with its signed policy is rejected, and nothing is stored.
func TestFormUploadRejectsPolicyViolations(t *testing.T) {
	s := newStore(t)
	fine := `[{"bucket":"bucket"},["starts-with","$key","up/"]]`
	for name, c := range map[string]struct {
		want string
		form func() testForm
	}{
		"no policy": {"403 AccessDenied", func() testForm { return testForm{fields: map[string]string{"key": "up/a"}, file: "x"} }},
		"another policy": {"403 SignatureDoesNotMatch", func() testForm {
			f := signedForm(4, `[`+v4+fine[1:], map[string]string{"key": "up/a"})
			f.fields["policy"] += "A"
			return f
		}},
		"another key id": {"403 InvalidAccessKeyId", func() testForm {
			f := signedForm(2, fine, map[string]string{"key": "up/a"})
			f.fields["AWSAccessKeyId"] = "x"
			return f
		}},
		"no signature": {"400 InvalidArgument", func() testForm {
			f := signedForm(2, fine, map[string]string{"key": "up/a"})
			delete(f.fields, "signature")
			return f
		}},
		"no key":      {"400 InvalidArgument", func() testForm { return signedForm(2, fine, map[string]string{}) }},
		"another key": {"403 AccessDenied", func() testForm { return signedForm(2, fine, map[string]string{"key": "down/a"}) }},
		"another bucket": {"403 AccessDenied", func() testForm {
			return signedForm(2, `[{"bucket":"other"},{"key":"up/a"}]`, map[string]string{"key": "up/a", "bucket": "other"})
		}},
		"no condition of it": {"403 AccessDenied", func() testForm { return signedForm(2, `[{"key":"up/a"}]`, map[string]string{"key": "up/a"}) }},
		"another field":      {"403 AccessDenied", func() testForm { return signedForm(2, fine, map[string]string{"key": "up/a", "x-amz-meta-a": "b"}) }},
		"too large": {"400 EntityTooLarge", func() testForm {
			return signedForm(2, fine[:len(fine)-1]+`,["content-length-range",0,6]]`, map[string]string{"key": "up/a"})
		}},
		"too small": {"400 EntityTooSmall", func() testForm {
			return signedForm(2, fine[:len(fine)-1]+`,["content-length-range",8,9]]`, map[string]string{"key": "up/a"})
		}},
		"a range of one": {"400 InvalidPolicyDocument", func() testForm {
			return signedForm(2, fine[:len(fine)-1]+`,["content-length-range",8]]`, map[string]string{"key": "up/a"})
		}},
		"no conditions":      {"400 InvalidPolicyDocument", func() testForm { return signedForm(2, `null`, map[string]string{"key": "up/a"}) }},
		"an empty condition": {"400 InvalidPolicyDocument", func() testForm { return signedForm(2, `[{}]`, map[string]string{"key": "up/a"}) }},
		"fields that are long": {"400 MaxPostPreDataLengthExceeded", func() testForm {
			return signedForm(2, fine, map[string]string{"key": "up/a", "x-ignore-a": strings.Repeat("x", maxFields)})
		}},
		"an end that is cut": {"400 IncompleteBody", func() testForm { f := signedForm(2, fine, map[string]string{"key": "up/a"}); f.cut = 70; return f }},
		"another checksum": {"400 BadDigest", func() testForm {
			return signedForm(2, fine, map[string]string{"key": "up/a", "x-amz-checksum-sha256": "x"})
		}},
		"a list for others": {"501 NotImplemented", func() testForm {
			return signedForm(2, fine[:len(fine)-1]+`,{"acl":"public-read"}]`, map[string]string{"key": "up/a", "acl": "public-read"})
		}},
		"a policy of yesterday": {"403 AccessDenied", func() testForm {
			return formExpiring(2, noon.Add(-time.Second), fine, map[string]string{"key": "up/a"})
		}},
		"a key with a zero": {"400 InvalidURI", func() testForm { return signedForm(2, fine, map[string]string{"key": "up/\x00"}) }},
	} {
		w := s.post(c.form())
		if got := fmt.Sprint(w.Code, " ", element(w, "Code")); got != c.want {
			t.Errorf("%s: got %s %s, want %s", name, got, w.Body, c.want)
		}
	}
	if w := s.want("200", "GET", "/bucket", ""); strings.Contains(w.Body.String(), "<Key>") {
		t.Errorf("an object was written: %s", w.Body)
	}
}
