package s3

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // signature version 2
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// Version 2 headers as boto3 signs them: "/bucket/" for "/bucket", and the time in either header.
func TestSignatureVersion2Headers(t *testing.T) {
	s := newStore(t)
	now := noon.Format(http.TimeFormat)
	get := func(target, signed, date, amzDate string) int {
		r := httptest.NewRequest("GET", target, nil)
		r.Header.Set("Date", date)
		text := "GET\n\n\n" + date + "\n" + signed
		if amzDate != "none" {
			r.Header.Set("X-Amz-Date", amzDate)
			text = "GET\n\n\n\nx-amz-date:" + amzDate + "\n" + signed
		}
		h := hmac.New(sha1.New, []byte(keys.SecretKey))
		h.Write([]byte(text))
		r.Header.Set("Authorization", "AWS "+keys.AccessKey+":"+base64.StdEncoding.EncodeToString(h.Sum(nil)))
		w := httptest.NewRecorder()
		s.h.ServeHTTP(w, r)
		return w.Code
	}
	s.want("200", "PUT", "/bucket/k", "x")
	for _, c := range []struct {
		target, signed, date, amzDate string
		status                        int
	}{
		{"/bucket", "/bucket/", now, "none", 200},
		{"/bucket", "/bucket", now, "none", 200},
		{"/bucket?acl", "/bucket/?acl", now, "none", 200},
		{"/bucket/k", "/bucket/k", now, "none", 200},
		{"/bucket/k", "/bucket/k/", now, "none", 403}, // the signature of another object
		{"/bucket/k", "/bucket/k", "", now, 200},
		{"/bucket/k", "/bucket/k", now, "", 403},
		{"/bucket/k", "/bucket/k", now, "Tue, 07 Jul 1950 21:53:04 GMT", 403},
	} {
		if got := get(c.target, c.signed, c.date, c.amzDate); got != c.status {
			t.Errorf("%+v: got %d", c, got)
		}
	}
}

// x-amz-* headers in the query of a presigned URL have the same effect as real headers, and the same values are
// rejected.
func TestPresignedURLWithQueryHeaders(t *testing.T) {
	s := newStore(t)
	for query, want := range map[string]int{
		"x-amz-tagging=a%3D1&x-amz-meta-m=1":      200,
		"x-amz-acl=public-read":                   501,
		"x-amz-expected-bucket-owner=other":       403,
		"x-amz-checksum-crc32=AAAAAA%3D%3D":       400,
		"x-amz-sdk-checksum-algorithm=XXHASH64":   400,
		"X-Amz-Security-Token=t&x-id=PutObject&x": 200,
	} {
		q, _ := url.ParseQuery(query)
		sig := signatureFor(noon.Format(timeFormat), noon.Format("20060102")+"/us-south/s3/aws4_request")
		for name, value := range map[string]string{"X-Amz-Algorithm": algorithm, "X-Amz-Credential": keys.AccessKey + "/" + sig.scope,
			"X-Amz-Date": sig.date, "X-Amz-Expires": "60", "X-Amz-SignedHeaders": "host"} {
			q.Set(name, value)
		}
		r := httptest.NewRequest("PUT", "/bucket/k", strings.NewReader("text"))
		canonical := strings.Join([]string{"PUT", "/bucket/k", canonicalQuery(q), canonicalHeaders(r, []string{"host"}), "host", "UNSIGNED-PAYLOAD"}, "\n")
		q.Set("X-Amz-Signature", sig.sign(algorithm, sha256Hex(canonical)))
		r.URL.RawQuery = q.Encode()
		w := httptest.NewRecorder()
		if s.h.ServeHTTP(w, r); w.Code != want {
			t.Errorf("%s: got %d, want %d\n%s", query, w.Code, want, w.Body)
		}
		if strings.Contains(query, "tagging") {
			h := s.do("HEAD", "/bucket/k", "").Header()
			if got := h.Get("X-Amz-Tagging-Count") + strings.Join(h["x-amz-meta-m"], ""); got != "11" {
				t.Errorf("the tags and metadata of %s are lost: %v", query, h)
			}
		}
	}
}

// Version 4 uses the Date header if there is no X-Amz-Date.
func TestSignatureVersion4WithDateHeader(t *testing.T) {
	h := handler(t, func() time.Time { return noon })
	for date, want := range map[string]int{
		noon.Format(http.TimeFormat): 200, noon.Format(time.RFC1123Z): 200, noon.Add(-time.Hour).Format(http.TimeFormat): 403,
	} {
		r := httptest.NewRequest("GET", "/bucket", nil)
		r.Header.Set("Date", date)
		r.Header.Set("X-Amz-Content-Sha256", sha256Hex(""))
		names := []string{"date", "host", "x-amz-content-sha256"}
		at, err := parseDate(date)
		if err != nil {
			t.Fatal(err)
		}
		s := signatureFor(at.Format(timeFormat), at.Format("20060102")+"/us-south/s3/aws4_request")
		canonical := strings.Join([]string{"GET", "/bucket", "", canonicalHeaders(r, names), strings.Join(names, ";"), sha256Hex("")}, "\n")
		r.Header.Set("Authorization", algorithm+" Credential="+keys.AccessKey+"/"+s.scope+",SignedHeaders="+strings.Join(names, ";")+",Signature="+s.sign(algorithm, sha256Hex(canonical)))
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != want {
			t.Errorf("%s: got %d, want %d\n%s", date, w.Code, want, w.Body)
		}
	}
}
