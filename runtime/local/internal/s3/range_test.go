package s3

import (
	"io"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/IBM/ibm-cos-sdk-go/aws"
	cos "github.com/IBM/ibm-cos-sdk-go/service/s3"
)

func TestRanges(t *testing.T) {
	const none = -1
	for _, c := range []struct {
		header         string
		size           int64
		offset, length int64 // length none: not satisfiable
		ignored        bool
	}{
		{header: "bytes=0-0", size: 10, offset: 0, length: 1},
		{header: "bytes=2-5", size: 10, offset: 2, length: 4},
		{header: "bytes=2-", size: 10, offset: 2, length: 8},
		{header: "bytes=5-99", size: 10, offset: 5, length: 5},
		{header: "bytes=-3", size: 10, offset: 7, length: 3},
		{header: "bytes=-99", size: 10, offset: 0, length: 10},
		{header: "bytes=1-9223372036854775807", size: 10, offset: 1, length: 9},
		{header: "bytes=1-99999999999999999999999", size: 10, offset: 1, length: 9},
		{header: "bytes=-9223372036854775807", size: 10, offset: 0, length: 10},
		{header: "bytes=-99999999999999999999999", size: 10, offset: 0, length: 10},
		{header: "bytes=10-", size: 10, length: none},
		{header: "bytes=9223372036854775807-", size: 10, length: none},
		{header: "bytes=-0", size: 10, length: none},
		{header: "bytes=0-", size: 0, length: none},
		{header: "bytes=-5", size: 0, length: none},
		{header: "bytes=5-2", size: 10, ignored: true},
		{header: "bytes=a-b", size: 10, ignored: true},
		{header: "bytes=+1-2", size: 10, ignored: true},
		{header: "bytes=--1", size: 10, ignored: true},
		{header: "bytes=-", size: 10, ignored: true},
		{header: "bytes=", size: 10, ignored: true},
		{header: "bytes=0-1,3-4", size: 10, ignored: true},
		{header: "lines=0-1", size: 10, ignored: true},
		{header: "", size: 10, ignored: true},
	} {
		r, ok := parseRange(c.header)
		if ok == c.ignored {
			t.Errorf("%q: accepted %t, want %t", c.header, ok, !c.ignored)
			continue
		}
		if c.ignored {
			continue
		}
		offset, length, ok := r.resolve(c.size)
		if !ok {
			offset, length = 0, none
		}
		if offset != c.offset || length != c.length {
			t.Errorf("%q of %d bytes: %d bytes from %d, want %d from %d", c.header, c.size, length, offset, c.length, c.offset)
		}
	}
}

func TestRangesOfObjects(t *testing.T) {
	srv := httptest.NewServer(handler(t, nil))
	defer srv.Close()
	c := client(t, srv.URL, keys.AccessKey, keys.SecretKey)
	if _, err := c.PutObject(&cos.PutObjectInput{Bucket: aws.String("bucket"), Key: aws.String("k"), Body: strings.NewReader("0123456789")}); err != nil {
		t.Fatal(err)
	}
	for rng, want := range map[string]string{
		"bytes=2-4": "234 bytes 2-4/10", "bytes=-3": "789 bytes 7-9/10", "bytes=-11": "0123456789 bytes 0-9/10",
		"bytes=1-9223372036854775807": "123456789 bytes 1-9/10", "bytes=10-": "InvalidRange",
	} {
		got, err := c.GetObject(&cos.GetObjectInput{Bucket: aws.String("bucket"), Key: aws.String("k"), Range: &rng})
		result := code(err)
		if err == nil {
			data, _ := io.ReadAll(got.Body)
			result = string(data) + " " + aws.StringValue(got.ContentRange)
		}
		if result != want {
			t.Errorf("%s: got %q, want %q", rng, result, want)
		}
	}
}
