package s3

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"
)

// FuzzSignature sends arbitrary credentials in the header or in the query. Without the key, all requests are rejected.
func FuzzSignature(f *testing.F) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	good := signed("GET", "/bucket/k", sha256Hex(""), now.Format(timeFormat), nil, nil)
	f.Add(good.Header.Get("Authorization")+"0", good.Header.Get("X-Amz-Date"), good.Header.Get("X-Amz-Content-Sha256"), "")
	f.Add("Bearer the-token", "", "", "")
	f.Add("bearer ", "", "", "X-Amz-Signature=")
	f.Add(algorithm+" Credential=/20260102/r/s3/aws4_request,SignedHeaders=host,Signature=", "20260102T030405Z", "UNSIGNED-PAYLOAD", "")
	f.Add("", "", "", "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a/20260102/r/s3/aws4_request&X-Amz-Date=20260102T030405Z&X-Amz-Expires=9223372036&X-Amz-SignedHeaders=host&X-Amz-Signature=00")
	f.Add(algorithm+",,=", "20260102T030405Z", "", "%zz&;")
	f.Fuzz(func(t *testing.T, authorization, date, payload, query string) {
		r := httptest.NewRequest("GET", "http://127.0.0.1/bucket/k", nil)
		r.URL.RawQuery = query
		r.Header = http.Header{"Authorization": {authorization}, "X-Amz-Date": {date}, "X-Amz-Content-Sha256": {payload}}
		s, apiErr := authenticate(r, keys, now)
		if apiErr == nil || s != nil || apiErr.status < 400 || apiErr.status > 499 {
			values, _ := url.ParseQuery(query)
			t.Errorf("accepted with %q, %v", authorization, values)
		}
	})
}
