package s3

import (
	"bytes"
	"crypto/md5" //nolint:gosec // S3's ETag
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
)

// If a client has uploaded a part twice and lists it twice, the later upload counts.
func TestRepeatedPartUsesLastUpload(t *testing.T) {
	s := newStore(t)
	id := "/bucket/k?uploadId=" + element(s.want("200", "POST", "/bucket/k?uploads", ""), "UploadId")
	var document string
	for _, text := range []string{"first", "second"} {
		etag := s.want("200", "PUT", id+"&partNumber=1", text).Header().Get("ETag")
		document += "<Part><PartNumber>1</PartNumber><ETag>" + etag + "</ETag></Part>"
	}
	s.want("200", "POST", id, "<CompleteMultipartUpload>"+document+"</CompleteMultipartUpload>")
	if got := s.do("GET", "/bucket/k", "").Body.String(); got != "second" {
		t.Errorf("got %q, want the later part", got)
	}
}

func TestMultipartUploads(t *testing.T) {
	s := newStore(t)
	s.want("200", "PUT", "/bucket/source", strings.Repeat("s", 6<<20))
	start := func(headers ...string) string {
		return "/bucket/k?uploadId=" + element(s.want("200", "POST", "/bucket/k?uploads", "", headers...), "UploadId")
	}
	document := func(etags ...string) string {
		text := "<CompleteMultipartUpload>"
		for i, e := range etags {
			text += fmt.Sprintf("<Part><PartNumber>%d</PartNumber><ETag>%s</ETag></Part>", i+1, e)
		}
		return text + "</CompleteMultipartUpload>"
	}
	id := start("x-amz-meta-m: 1", "x-amz-checksum-algorithm: CRC32", "x-amz-checksum-type: FULL_OBJECT")
	first := strings.Repeat("1", minPart)
	etags := []string{s.want("200", "PUT", id+"&partNumber=1", first).Header().Get("ETag")}
	etags = append(etags, element(s.want("200", "PUT", id+"&partNumber=2", "", "x-amz-copy-source: /bucket/source", "x-amz-copy-source-range: bytes=1-5242880"), "ETag"))
	etags = append(etags, s.want("200", "PUT", id+"&partNumber=3", "end").Header().Get("ETag"))
	s.want("416 InvalidRange", "PUT", id+"&partNumber=4", "", "x-amz-copy-source: /bucket/source", "x-amz-copy-source-range: bytes=0-99999999")
	s.want("400 InvalidArgument", "PUT", id+"&partNumber=10001", "")
	s.want("400 InvalidPart", "POST", id, document("no"))
	s.want("404 NoSuchKey", "POST", id, document(etags...), "If-Match: *")
	s.want("400 BadDigest", "POST", id, document(etags...), "x-amz-checksum-crc32: AAAAAA==")
	s.want("400 InvalidRequest", "POST", id, document(etags...), "x-amz-checksum-sha256: "+emptySHA)
	s.want("400 InvalidRequest", "POST", id, document(etags...), "x-amz-checksum-type: COMPOSITE")
	content := first + strings.Repeat("s", minPart) + "end"
	crc := newChecksum("crc32")
	crc.Write([]byte(content))
	sum := base64.StdEncoding.EncodeToString(crc.Sum(nil))
	w := s.want("200", "POST", id, document(etags...), "x-amz-checksum-crc32: "+sum, "x-amz-mp-object-size: "+fmt.Sprint(len(content)))
	parts := md5.New() //nolint:gosec
	for _, part := range []string{first, strings.Repeat("s", minPart), "end"} {
		one := md5.Sum([]byte(part)) //nolint:gosec
		parts.Write(one[:])
	}
	want := fmt.Sprintf(`"%s-3"`, hex.EncodeToString(parts.Sum(nil)))
	if got := element(w, "ETag"); got != want || element(w, "ChecksumCRC32") != sum {
		t.Errorf("got %s %s, want %s %s", got, element(w, "ChecksumCRC32"), want, sum)
	}
	if again := s.want("200", "POST", id, document(etags...)); element(again, "ETag") != want {
		t.Errorf("the second response is %s", again.Body)
	}
	got := s.want("200", "GET", "/bucket/k", "", "x-amz-checksum-mode: ENABLED")
	if !bytes.Equal(got.Body.Bytes(), []byte(content)) || got.Header()["x-amz-meta-m"] == nil || got.Header().Get("X-Amz-Checksum-Crc32") != sum {
		t.Errorf("%d bytes of %d, %v", got.Body.Len(), len(content), got.Header())
	}
	got = s.want("206", "GET", "/bucket/k?partNumber=3", "")
	if got.Body.String() != "end" || got.Header().Get("X-Amz-Mp-Parts-Count") != "3" || got.Header().Get("Content-Range") != "bytes 10485760-10485762/10485763" {
		t.Errorf("got %q with %v, want the last 3 bytes of 10485763 as part 3 of 3", got.Body.String(), got.Header())
	}
	s.want("400 InvalidPart", "GET", "/bucket/k?partNumber=4", "")
	w = s.want("200", "GET", "/bucket/k?attributes", "", "x-amz-object-attributes: ETag,Checksum,ObjectParts,ObjectSize")
	if got := element(w, "PartsCount") + " " + element(w, "ObjectSize") + " " + element(w, "ChecksumType"); got != "3 10485763 FULL_OBJECT" {
		t.Errorf("attributes: %s", w.Body)
	}

	id = start()
	etags = []string{s.do("PUT", id+"&partNumber=1", "small").Header().Get("ETag"), s.do("PUT", id+"&partNumber=2", "small").Header().Get("ETag")}
	s.want("400 EntityTooSmall", "POST", id, document(etags...))
	s.want("412 PreconditionFailed", "POST", id, document(etags[0]), "If-None-Match: *")
	s.want("204", "DELETE", id, "")
	s.want("404 NoSuchUpload", "POST", id, document(etags[0]))
}
