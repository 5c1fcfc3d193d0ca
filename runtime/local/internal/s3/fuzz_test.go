package s3

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

func FuzzChunks(f *testing.F) {
	f.Add([]byte("5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n"))
	f.Add([]byte("5;chunk-signature=aa\r\nhello\r\n0;chunk-signature=bb\r\n\r\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := io.ReadAll(io.LimitReader(newChunks(bytes.NewReader(body), nil), 1<<20))
		if err == nil && len(got) > len(body) {
			t.Fatal("the decoded body is longer than the encoded one")
		}
		if _, err := io.ReadAll(newChunks(bytes.NewReader(body), signatureFor("20260102T030405Z", "20260102/r/s3/aws4_request"))); err == nil {
			t.Fatal("unsigned chunks are accepted as signed: " + hex.EncodeToString(body))
		}
	})
}

// FuzzStore sends arbitrary requests with a valid signature. They must not cause a panic or an internal error.
func FuzzStore(f *testing.F) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	h := handler(f, func() time.Time { return now })
	f.Add("GET", "/bucket?list-type=2&prefix=a&delimiter=%2F&continuation-token=YQ&max-keys=2&encoding-type=url", "", "")
	f.Add("POST", "/bucket?delete", "<Delete><Object><Key>a</Key></Object></Delete>", "")
	f.Add("PUT", "/bucket/k?uploadId=x&partNumber=1", "data", "bytes=1-")
	f.Add("POST", "/bucket/k?uploads", "", "")
	f.Add("GET", "/bucket/k", "", "bytes=-0")
	f.Fuzz(func(t *testing.T, method, target, body, rng string) {
		if !slices.Contains([]string{"GET", "PUT", "POST", "DELETE", "HEAD", "OPTIONS"}, method) || !strings.HasPrefix(target, "/") {
			return
		}
		if strings.ContainsAny(target, " \x7f#") || strings.ContainsFunc(target, func(r rune) bool { return r < ' ' || r == 0xFFFD }) {
			return
		}
		defer func() { // httptest.NewRequest panics on targets that no server would accept
			if p := recover(); p != nil && !strings.Contains(fmt.Sprint(p), "NewRequest") {
				panic(p)
			}
		}()
		r := signed(method, target, sha256Hex(body), now.Format(timeFormat), strings.NewReader(body), map[string]string{"Range": rng})
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code == http.StatusInternalServerError {
			t.Fatalf("%s %s %q: %d %s", method, target, body, w.Code, w.Body)
		}
	})
}
