package s3

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // the algorithm of signature version 2
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"path"
	"strings"

	"fn-runtime/runtime/local/internal/state"
)

// Limits of forms: the number of bytes before the file, which are read into memory before the signature is verified,
// and the number of concurrent uploads.
const (
	maxFields = 20 << 10
	maxForms  = 32
)

// form is an upload by a presigned POST: fields, a signed policy that the upload must comply with, and the file.
type form struct {
	fields map[string]string // by lowercase name
	file   *multipart.Part
	policy policy
}

// isForm reports whether a request is an upload that carries its credentials in form fields.
func (c *call) isForm() bool {
	kind, _, _ := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	return c.r.Method == http.MethodPost && kind == "multipart/form-data" && c.bucket != "" && c.key == "" && c.r.URL.RawQuery == ""
}

func (c *call) postForm() error {
	f, err := c.readForm()
	if err != nil {
		return err
	}
	if apiErr := f.verify(c); apiErr != nil {
		return apiErr
	}
	select {
	case c.formSlots <- struct{}{}:
		defer func() { <-c.formSlots }()
	default:
		c.w.Header().Set("Retry-After", "1")
		return newError(http.StatusServiceUnavailable, "SlowDown", "Please reduce your request rate.")
	}
	c.key, c.r.Header = f.fields["key"], f.header()
	if err := c.checkHeaders("object PUT"); err != nil {
		return err
	}
	meta, err := c.metadata()
	if err != nil {
		return err
	}
	tags, err := f.tags()
	if err != nil {
		return err
	}
	body := verify(io.LimitReader(f.file, f.policy.max+1), -1, "", c.r.Header, nil, nil)
	o, err := c.db.Put(c.bucket, state.Object{Key: c.key, Meta: meta, Tags: tags}, body, c.r.ContentLength, func(_, o *state.Object) error {
		switch {
		case o.Size > f.policy.max:
			return newError(http.StatusBadRequest, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
		case o.Size < f.policy.min:
			return newError(http.StatusBadRequest, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
		}
		o.Sums = body.computed
		return nil
	})
	if err != nil {
		return err
	}
	f.respond(c, o)
	return nil
}

// readForm reads a form up to the start of its file.
func (c *call) readForm() (*form, error) {
	malformed := newError(http.StatusBadRequest, "MalformedPOSTRequest", "The body of your POST request is not well-formed multipart/form-data.")
	limited := &io.LimitedReader{R: c.r.Body, N: maxFields}
	c.r.Body = struct {
		io.Reader
		io.Closer
	}{limited, c.r.Body}
	parts, err := c.r.MultipartReader()
	if err != nil {
		return nil, malformed
	}
	f := &form{fields: map[string]string{"bucket": c.bucket}}
	for {
		part, err := parts.NextRawPart()
		if err == nil && strings.EqualFold(part.FormName(), "file") {
			limited.N = maxObject + maxFields
			f.file = part
			f.fields["key"] = strings.ReplaceAll(f.fields["key"], "${filename}", path.Base(strings.ReplaceAll(part.FileName(), `\`, "/")))
			return f, nil
		}
		var value []byte
		if err == nil {
			value, err = io.ReadAll(part)
		}
		switch {
		case err != nil && limited.N <= 0:
			return nil, newError(http.StatusBadRequest, "MaxPostPreDataLengthExceeded", "Your POST request fields preceding the upload file were too large.")
		case err == io.EOF:
			return nil, invalidArgument("POST requires exactly one file upload per request.")
		case err != nil:
			return nil, malformed
		}
		if name := strings.ToLower(part.FormName()); name != "bucket" {
			f.fields[name] = string(value)
		}
	}
}

// verify checks that the owner of the keys has signed the policy, and that the form complies with it.
func (f *form) verify(c *call) (apiErr *apiError) {
	id, given, signed := f.fields["awsaccesskeyid"], f.fields["signature"], f.fields["policy"]
	want := ""
	if credential, ok := f.fields["x-amz-credential"]; ok {
		parts := strings.Split(credential, "/") // ID/20260102/region/s3/aws4_request
		id, given = parts[0], f.fields["x-amz-signature"]
		if len(parts) != 5 || f.fields["x-amz-algorithm"] != algorithm {
			return invalidArgument("The fields x-amz-credential and x-amz-algorithm are not those of signature version 4.")
		}
		key := []byte("AWS4" + c.keys.SecretKey)
		for _, p := range parts[1:] {
			key = sign(key, p)
		}
		want = hex.EncodeToString(sign(key, signed))
	} else {
		h := hmac.New(sha1.New, []byte(c.keys.SecretKey))
		h.Write([]byte(signed))
		want = base64.StdEncoding.EncodeToString(h.Sum(nil))
	}
	switch {
	case signed == "":
		return newError(http.StatusForbidden, "AccessDenied", "Access Denied.")
	case id == "" || given == "":
		return invalidArgument("Bucket POST must contain the fields of a signature, with a 'policy'.")
	case !hmac.Equal([]byte(id), []byte(c.keys.AccessKey)):
		return newError(http.StatusForbidden, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.")
	case !hmac.Equal([]byte(given), []byte(want)):
		return newError(http.StatusForbidden, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided. Check your key and signing method.")
	case f.fields["key"] == "":
		return invalidArgument("Bucket POST must contain a field named 'key'. If it is specified, please check the order of the fields.")
	}
	if apiErr := validKey(f.fields["key"]); apiErr != nil {
		return apiErr
	}
	if f.policy, apiErr = parsePolicy(signed); apiErr != nil {
		return apiErr
	}
	return f.policy.check(f.fields, c.now())
}

// header returns the fields that correspond to headers of a PUT.
func (f *form) header() http.Header {
	h := http.Header{}
	for name, value := range f.fields {
		header := http.CanonicalHeaderKey(name)
		switch {
		case name == "acl":
			h.Set("X-Amz-Acl", value)
		case name == "x-amz-signature", name == "x-amz-credential", name == "x-amz-algorithm":
		case name == "cache-control", name == "expires", strings.HasPrefix(name, "content-"), strings.HasPrefix(name, "x-amz-"):
			h[header] = []string{value}
		}
	}
	return h
}

func (f *form) tags() (map[string]string, error) {
	text := f.fields["tagging"]
	if text == "" {
		return nil, nil
	}
	var in tagging
	if err := xml.Unmarshal([]byte(text), &in); err != nil {
		return nil, malformedXML()
	}
	return checkTags(in.TagSet, maxObjectTags)
}

// respond redirects the client if the form requests it. Otherwise it responds with the requested status code. With 201,
// the response contains a document that describes the object.
func (f *form) respond(c *call, o state.Object) {
	etag := `"` + o.ETag + `"`
	c.w.Header().Set("ETag", etag)
	c.setNewVersionHeader(o)
	c.setChecksumHeaders(o.Sums, sumType(o))
	next := f.fields["success_action_redirect"]
	if next == "" {
		next = f.fields["redirect"]
	}
	if u, err := url.Parse(next); err == nil && (u.Scheme == "http" || u.Scheme == "https") {
		more := "bucket=" + url.QueryEscape(c.bucket) + "&key=" + url.QueryEscape(c.key) + "&etag=" + url.QueryEscape(etag)
		u.RawQuery = strings.TrimPrefix(u.RawQuery+"&"+more, "&")
		c.w.Header().Set("Location", u.String())
		c.w.WriteHeader(http.StatusSeeOther)
		return
	}
	location := &url.URL{Path: "/" + c.bucket + "/" + c.key}
	c.w.Header().Set("Location", location.String())
	switch f.fields["success_action_status"] {
	case "200":
		c.w.WriteHeader(http.StatusOK)
	case "201":
		c.respond(http.StatusCreated, struct {
			XMLName                     xml.Name `xml:"PostResponse"`
			Location, Bucket, Key, ETag string
		}{Location: location.String(), Bucket: c.bucket, Key: c.key, ETag: etag})
	default:
		c.w.WriteHeader(http.StatusNoContent)
	}
}
