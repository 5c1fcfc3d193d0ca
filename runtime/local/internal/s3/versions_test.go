package s3

import (
	"fmt"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// wantHeaders compares response headers. Each has the form "name: value"; "name: " means that the header must be
// missing.
func wantHeaders(t *testing.T, w *httptest.ResponseRecorder, want ...string) {
	t.Helper()
	for _, line := range want {
		name, value, _ := strings.Cut(line, ": ")
		if got := w.Header().Get(name); got != value {
			t.Errorf("%s: got %q, want %q", name, got, value)
		}
	}
}

func (s store) versioning(status string) {
	s.t.Helper()
	s.want("200", "PUT", "/bucket?versioning", "<VersioningConfiguration><Status>"+status+"</Status></VersioningConfiguration>")
	if got := element(s.want("200", "GET", "/bucket?versioning", ""), "Status"); got != status {
		s.t.Errorf("got versioning %q, want %q", got, status)
	}
}

// newVersion sends a write and returns the version that it created.
func (s store) newVersion(method, target, body string, headers ...string) string {
	s.t.Helper()
	return s.want("200", method, target, body, headers...).Header().Get("X-Amz-Version-Id")
}

func (s store) wantBody(target, want string) {
	s.t.Helper()
	if got := s.want("200", "GET", target, "").Body.String(); got != want {
		s.t.Errorf("%s: got %q, want %q", target, got, want)
	}
}

func TestObjectVersions(t *testing.T) {
	s := newStore(t)
	wantHeaders(t, s.want("200", "PUT", "/bucket/k", "before"), "X-Amz-Version-Id: ")
	wantHeaders(t, s.want("200", "GET", "/bucket/k", ""), "X-Amz-Version-Id: ")
	s.versioning("Enabled")
	wantHeaders(t, s.want("200", "HEAD", "/bucket/k", ""), "X-Amz-Version-Id: null")
	one, two := s.newVersion("PUT", "/bucket/k", "one"), s.newVersion("PUT", "/bucket/k", "two")
	s.wantBody("/bucket/k", "two")
	s.wantBody("/bucket/k?versionId="+one, "one")
	s.wantBody("/bucket/k?versionId=null", "before")

	marker := s.want("204", "DELETE", "/bucket/k", "").Header().Get("X-Amz-Version-Id")
	wantHeaders(t, s.want("404 NoSuchKey", "GET", "/bucket/k", ""), "X-Amz-Delete-Marker: true", "X-Amz-Version-Id: "+marker)
	wantHeaders(t, s.want("405 MethodNotAllowed", "GET", "/bucket/k?versionId="+marker, ""), "X-Amz-Delete-Marker: true", "Allow: DELETE")
	s.want("405 MethodNotAllowed", "GET", "/bucket/k?tagging&versionId="+marker, "")
	s.wantBody("/bucket/k?versionId="+two, "two")
	s.want("409 BucketNotEmpty", "DELETE", "/bucket", "")
	wantHeaders(t, s.want("204", "DELETE", "/bucket/k?versionId="+marker, ""), "X-Amz-Delete-Marker: true", "X-Amz-Version-Id: "+marker)
	wantHeaders(t, s.want("204", "DELETE", "/bucket/k?versionId="+two, ""), "X-Amz-Delete-Marker: ", "X-Amz-Version-Id: "+two)
	s.wantBody("/bucket/k", "one")

	s.want("404 NoSuchVersion", "GET", "/bucket/k?versionId="+two, "")
	s.want("204", "DELETE", "/bucket/k?versionId="+two, "")
	s.want("400 InvalidArgument", "GET", "/bucket/k?versionId=none", "")
	s.want("400 InvalidArgument", "DELETE", "/bucket/k?versionId=", "")
	s.want("400 InvalidArgument", "PUT", "/bucket/k?versionId="+one, "overwritten?")
	s.wantBody("/bucket/k", "one")
}

func TestConditionsUseCurrentVersion(t *testing.T) {
	s := newStore(t)
	s.versioning("Enabled")
	etag := s.want("200", "PUT", "/bucket/k", "one").Header().Get("ETag")
	two := s.newVersion("PUT", "/bucket/k", "two", "If-Match: "+etag)
	s.want("412 PreconditionFailed", "PUT", "/bucket/k", "three", "If-Match: "+etag)
	s.want("412 PreconditionFailed", "PUT", "/bucket/k", "three", "If-None-Match: *")
	s.want("412 PreconditionFailed", "DELETE", "/bucket/k", "", "If-Match: "+etag)
	s.want("412 PreconditionFailed", "DELETE", "/bucket/k?versionId="+two, "", "If-Match: "+etag)
	s.want("204", "DELETE", "/bucket/k", "")
	wantHeaders(t, s.want("204", "DELETE", "/bucket/none", "", "If-Match: *"), "X-Amz-Delete-Marker: ") // the object does not exist
	s.want("412 PreconditionFailed", "DELETE", "/bucket/k", "", "If-Match: "+etag)                      // a delete marker matches only *
	s.want("204", "DELETE", "/bucket/k", "", "If-Match: *")
	s.want("200", "PUT", "/bucket/k", "four", "If-None-Match: *")
}

func TestSuspendedVersioningHasOneNullVersion(t *testing.T) {
	s := newStore(t)
	s.versioning("Enabled")
	one := s.newVersion("PUT", "/bucket/k", "one")
	s.versioning("Suspended")
	wantHeaders(t, s.want("200", "PUT", "/bucket/k", "two"), "X-Amz-Version-Id: ")
	s.want("200", "PUT", "/bucket/k", "three")
	wantHeaders(t, s.want("200", "GET", "/bucket/k", ""), "X-Amz-Version-Id: null")
	s.wantBody("/bucket/k?versionId=null", "three")
	wantHeaders(t, s.want("204", "DELETE", "/bucket/k", ""), "X-Amz-Version-Id: null", "X-Amz-Delete-Marker: true")
	s.want("405 MethodNotAllowed", "GET", "/bucket/k?versionId=null", "")
	s.want("204", "DELETE", "/bucket/k?versionId=null", "")
	s.wantBody("/bucket/k", "one")
	s.wantBody("/bucket/k?versionId="+one, "one")
}

func TestVersionTagsAndAttributes(t *testing.T) {
	s := newStore(t)
	s.versioning("Enabled")
	one := s.newVersion("PUT", "/bucket/k", "first", "x-amz-tagging: a=1")
	two := s.newVersion("PUT", "/bucket/k", "2", "x-amz-tagging: a=2")
	const three = "<Tagging><TagSet><Tag><Key>a</Key><Value>3</Value></Tag></TagSet></Tagging>"
	wantHeaders(t, s.want("200", "PUT", "/bucket/k?tagging&versionId="+one, three), "X-Amz-Version-Id: "+one)
	for version, want := range map[string]string{one: "3", two: "2"} {
		if got := element(s.want("200", "GET", "/bucket/k?tagging&versionId="+version, ""), "Value"); got != want {
			t.Errorf("%s has tag %s, want %s", version, got, want)
		}
	}
	w := s.want("200", "GET", "/bucket/k?attributes&versionId="+one, "", "x-amz-object-attributes: ObjectSize")
	if got := element(w, "ObjectSize"); got != "5" {
		t.Errorf("the first version has %s bytes, want 5", got)
	}
}

func TestCopyAndMultipartWithVersions(t *testing.T) {
	s := newStore(t)
	s.versioning("Enabled")
	one := s.newVersion("PUT", "/bucket/k", "one")
	s.newVersion("PUT", "/bucket/k", "two")
	w := s.want("200", "PUT", "/bucket/k", "", "x-amz-copy-source: bucket/k?versionId="+one)
	wantHeaders(t, w, "X-Amz-Copy-Source-Version-Id: "+one)
	s.wantBody("/bucket/k", "one")

	id := element(s.want("200", "POST", "/bucket/k?uploads", ""), "UploadId")
	w = s.want("200", "PUT", "/bucket/k?partNumber=1&uploadId="+id, "", "x-amz-copy-source: /bucket/k?versionId="+one)
	wantHeaders(t, w, "X-Amz-Copy-Source-Version-Id: "+one)
	document := "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>" + element(w, "ETag") + "</ETag></Part></CompleteMultipartUpload>"
	created := s.newVersion("POST", "/bucket/k?uploadId="+id, document)
	s.newVersion("PUT", "/bucket/k", "later")
	if again := s.newVersion("POST", "/bucket/k?uploadId="+id, document); again != created { // for a client that did not receive the response
		t.Errorf("a repeated completion names version %q, want %q", again, created)
	}
	s.wantBody("/bucket/k?versionId="+created, "one")

	marker := s.want("204", "DELETE", "/bucket/k", "").Header().Get("X-Amz-Version-Id")
	s.want("404 NoSuchKey", "PUT", "/bucket/c", "", "x-amz-copy-source: bucket/k")
	s.want("400 InvalidRequest", "PUT", "/bucket/c", "", "x-amz-copy-source: bucket/k?versionId="+marker)
	s.want("204", "DELETE", "/bucket/k?versionId="+one, "")
	s.want("404 NoSuchVersion", "PUT", "/bucket/c", "", "x-amz-copy-source: bucket/k?versionId="+one)
	s.want("400 InvalidArgument", "PUT", "/bucket/c", "", "x-amz-copy-source: bucket/k?versionId=")
}

// listedVersions returns the entries of a page: versions as "key version", with * for the latest and ! for a delete
// marker, and common prefixes.
func listedVersions(w *httptest.ResponseRecorder) (list []string) {
	for _, m := range regexp.MustCompile(`<(Version|DeleteMarker)><Key>(.*?)</Key><VersionId>(.*?)</VersionId><IsLatest>(.*?)</IsLatest>`).FindAllStringSubmatch(w.Body.String(), -1) {
		line := m[2] + " " + m[3]
		if m[4] == "true" {
			line += "*"
		}
		if m[1] == "DeleteMarker" {
			line += "!"
		}
		list = append(list, line)
	}
	for _, m := range regexp.MustCompile(`<CommonPrefixes><Prefix>(.*?)</Prefix>`).FindAllStringSubmatch(w.Body.String(), -1) {
		list = append(list, m[1])
	}
	return list
}

func TestListVersionsInPages(t *testing.T) {
	s := newStore(t)
	s.want("200", "PUT", "/bucket/a", "before")
	if diff := cmp.Diff([]string{"a null*"}, listedVersions(s.want("200", "GET", "/bucket?versions", ""))); diff != "" {
		t.Errorf("without versioning: %s", diff)
	}
	s.versioning("Enabled")
	a := s.newVersion("PUT", "/bucket/a", "1")
	marker := s.want("204", "DELETE", "/bucket/b%20c", "").Header().Get("X-Amz-Version-Id")
	d1, d2 := s.newVersion("PUT", "/bucket/d/x", "1"), s.newVersion("PUT", "/bucket/d/x", "2")
	want := []string{"a " + a + "*", "a null", "b%20c " + marker + "*!", "d/x " + d2 + "*", "d/x " + d1}
	for page := 1; page <= 6; page++ {
		var got []string
		for after := ""; ; {
			w := s.want("200", "GET", fmt.Sprintf("/bucket?versions&encoding-type=url&max-keys=%d%s", page, after), "")
			got = append(got, listedVersions(w)...)
			if element(w, "IsTruncated") == "false" {
				break
			}
			after = "&key-marker=" + element(w, "NextKeyMarker") + "&version-id-marker=" + element(w, "NextVersionIdMarker")
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("pages of %d: %s", page, diff)
		}
	}
	for query, want := range map[string][]string{
		"&prefix=d":                        want[3:],
		"&delimiter=/":                     {want[0], want[1], "b c " + marker + "*!", "d/"},
		"&key-marker=a&delimiter=/":        {"b c " + marker + "*!", "d/"},
		"&key-marker=d/&delimiter=/":       nil,
		"&key-marker=d&prefix=d/":          want[3:],
		"&max-keys=0":                      nil,
		"&key-marker=a&version-id-marker=": {"b c " + marker + "*!", want[3], want[4]},
	} {
		if diff := cmp.Diff(want, listedVersions(s.want("200", "GET", "/bucket?versions"+query, ""))); diff != "" {
			t.Errorf("%s: %s", query, diff)
		}
	}
	s.want("400 InvalidArgument", "GET", "/bucket?versions&version-id-marker="+a, "")
}

func TestDeleteObjectsWithVersions(t *testing.T) {
	s := newStore(t)
	s.versioning("Enabled")
	one, two := s.newVersion("PUT", "/bucket/k", "one"), s.newVersion("PUT", "/bucket/k", "two")
	marker := s.want("204", "DELETE", "/bucket/k", "").Header().Get("X-Amz-Version-Id")
	remove := func(version string) string {
		return "<Object><Key>k</Key><VersionId>" + version + "</VersionId></Object>"
	}
	w := s.want("200 InvalidArgument", "POST", "/bucket?delete", "<Delete>"+remove(two)+remove(marker)+"<Object><Key>new</Key></Object>"+remove("none")+"</Delete>")
	created := regexp.MustCompile(`<Key>new</Key><DeleteMarker>true</DeleteMarker><DeleteMarkerVersionId>(.*?)<`).FindStringSubmatch(w.Body.String())
	for _, want := range []string{
		"<Key>k</Key><VersionId>" + two + "</VersionId></Deleted>",
		"<VersionId>" + marker + "</VersionId><DeleteMarker>true</DeleteMarker><DeleteMarkerVersionId>" + marker + "</DeleteMarkerVersionId>",
		"<VersionId>none</VersionId><Code>InvalidArgument</Code>",
	} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("got %s, want %s in it", w.Body, want)
		}
	}
	if created == nil {
		t.Fatalf("got %s, want a delete marker for the key new", w.Body)
	}
	if diff := cmp.Diff([]string{"k " + one + "*", "new " + created[1] + "*!"}, listedVersions(s.want("200", "GET", "/bucket?versions", ""))); diff != "" {
		t.Error(diff)
	}
}
