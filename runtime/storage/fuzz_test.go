package storage

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"fn-runtime/runtime/fault"
)

// FuzzAnswers sends arbitrary responses to every request. Nothing may panic or run forever, a listing must stay below
// its prefix, and errors must not be reported as success.
func FuzzAnswers(f *testing.F) {
	for _, s := range []string{
		`<ListBucketResult><Name>bucket</Name><Contents><Key>p/a</Key><Size>3</Size><LastModified>2026-01-02T03:04:05Z</LastModified></Contents></ListBucketResult>`,
		`<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken></ListBucketResult>`,
		`<ListBucketResult><Name>b</Name><Contents><Key>elsewhere</Key></Contents></ListBucketResult>`,
		`<ListBucketResult><Name>b</Name><Contents><Size>9999999999999999999</Size></Contents></ListBucketResult>`,
		`<ListVersionsResult><IsTruncated>true</IsTruncated><Version><Key>p/a</Key><VersionId>1</VersionId></Version></ListVersionsResult>`,
		`<ListMultipartUploadsResult><Upload><Key>p/a</Key><UploadId>u</UploadId></Upload></ListMultipartUploadsResult>`,
		`<DeleteResult><Error><Key>p/a</Key><Code>InternalError</Code></Error></DeleteResult>`,
		`<Error><Code>NoSuchBucket</Code><Message>` + "\x1b[2J" + `</Message></Error>`,
		`<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>`,
		`<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><ListBucketResult><Name>&b;</Name></ListBucketResult>`,
		strings.Repeat("<a>", 1000), `{}`, ``,
	} {
		f.Add(200, s)
		f.Add(404, s)
	}
	f.Add(503, "<html>")
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 200 || status > 599 {
			return
		}
		var requests atomic.Int32
		s := New(Options{Endpoint: "https://s3.test", Bucket: "bucket", AccessKeyID: "a", SecretAccessKey: "s3cret", Transport: roundTripFunc(func(r *http.Request) *http.Response {
			if requests.Add(1) > 500 {
				t.Error("too many requests")
				return &http.Response{StatusCode: http.StatusForbidden, Header: http.Header{}, Body: http.NoBody, Request: r}
			}
			return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: r}
		})})
		ctx := t.Context()
		checkError := func(err error) {
			if err != nil && fault.KindOf(err) == "" {
				t.Errorf("not a fault: %v", err)
			}
			if err != nil && strings.ContainsRune(err.Error(), '\x1b') {
				t.Errorf("raw escape in %q", err)
			}
		}
		for o, err := range s.List(ctx, "p/") {
			checkError(err)
			if err == nil && !strings.HasPrefix(o.Key, "p/") {
				t.Errorf("listed %q", o.Key)
			}
			if err == nil && status >= 300 {
				t.Errorf("success despite status %d", status)
			}
		}
		data, err := s.Get(ctx, "p/a")
		checkError(err)
		if err == nil && (status >= 300 || status != 204 && string(data) != body) {
			t.Errorf("%d %q", status, data)
		}
		checkError(s.Put(ctx, "p/a", []byte("x")))
		checkError(s.Delete(ctx, "p/a"))
		requests.Store(0)
		_, err = s.Purge(ctx, sweep("p/"))
		checkError(err)
	})
}

type roundTripFunc func(*http.Request) *http.Response

func (a roundTripFunc) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		io.Copy(io.Discard, r.Body)
		r.Body.Close()
	}
	return a(r), nil
}
