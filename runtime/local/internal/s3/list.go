package s3

import (
	"encoding/base64"
	"encoding/xml"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"fn-runtime/runtime/local/internal/state"
)

// pageMax is the largest page of S3.
const pageMax = 1000

// listing is the answer of ListObjects and ListObjectsV2; the fields of the version not asked for stay empty.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
type listing struct {
	XMLName               xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListBucketResult"`
	Name                  string
	Prefix                string
	Delimiter             string `xml:",omitempty"`
	EncodingType          string `xml:",omitempty"`
	MaxKeys               int
	IsTruncated           bool
	Marker                *string
	NextMarker            string `xml:",omitempty"`
	KeyCount              *int
	StartAfter            string `xml:",omitempty"`
	ContinuationToken     string `xml:",omitempty"`
	NextContinuationToken string `xml:",omitempty"`
	Contents              []entry
	CommonPrefixes        []commonPrefix
}

type entry struct {
	Key          string
	LastModified string
	ETag         string
	Size         int64
	StorageClass string
}

type commonPrefix struct{ Prefix string }

// versionListing answers ListObjectVersions: a bucket without versioning has one version, "null", of each object.
type versionListing struct {
	XMLName             xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListVersionsResult"`
	Name                string
	Prefix              string
	KeyMarker           string
	EncodingType        string `xml:",omitempty"`
	MaxKeys             int
	IsTruncated         bool
	NextKeyMarker       string `xml:",omitempty"`
	NextVersionIDMarker string `xml:"NextVersionIdMarker,omitempty"`
	Version             []version
}

type version struct {
	entry
	VersionID string `xml:"VersionId"`
	IsLatest  bool
}

// found is one page of a listing, before it is put into a form.
type found struct {
	objects  []state.Object
	prefixes []string
	last     string // after which the next page begins
	more     bool
}

func (s *Server) find(bucket, prefix, delimiter, after string, limit int) (f found, err error) {
	err = s.db.Objects(bucket, prefix, after, func(o state.Object) (string, bool) {
		common := ""
		if delimiter != "" {
			if i := strings.Index(o.Key[len(prefix):], delimiter); i >= 0 {
				common = o.Key[:len(prefix)+i+len(delimiter)]
			}
		}
		if common != "" && after == common { // that prefix ended the page before
			return next(common), true
		}
		if len(f.objects)+len(f.prefixes) == limit {
			f.more = limit > 0
			return "", false
		}
		if common == "" {
			f.objects, f.last = append(f.objects, o), o.Key
			return "", true
		}
		f.prefixes, f.last = append(f.prefixes, common), common
		return next(common), true
	})
	return f, err
}

// next is the smallest key that does not start with prefix; all keys are UTF-8, which has no byte 0xff.
func next(prefix string) string { return prefix + "\xff" }

func (s *Server) list(w http.ResponseWriter, r *http.Request, bucket string) {
	q := r.URL.Query()
	limit := pageMax
	if text := q.Get("max-keys"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			refuse(http.StatusBadRequest, "InvalidArgument", "Provided max-keys not an integer or within integer range").write(w, r)
			return
		}
		limit = min(n, pageMax)
	}
	encoding := q.Get("encoding-type")
	if encoding != "" && encoding != "url" {
		refuse(http.StatusBadRequest, "InvalidArgument", "Invalid Encoding Method specified in Request").write(w, r)
		return
	}
	code := func(s string) string { return s }
	if encoding == "url" {
		code = func(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "%2F", "/") }
	}
	after, delimiter := q.Get("marker"), q.Get("delimiter")
	v2 := q.Get("list-type") == "2"
	versions := q.Has("versions")
	switch {
	case versions:
		after, delimiter = q.Get("key-marker"), ""
	case v2 && q.Has("continuation-token"):
		token, err := base64.RawURLEncoding.DecodeString(q.Get("continuation-token"))
		if err != nil {
			refuse(http.StatusBadRequest, "InvalidArgument", "The continuation token provided is incorrect").write(w, r)
			return
		}
		after = string(token)
	case v2:
		after = q.Get("start-after")
	}
	f, err := s.find(bucket, q.Get("prefix"), delimiter, after, limit)
	if errors.Is(err, state.ErrNotFound) {
		refuse(http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist").write(w, r)
		return
	}
	if err != nil {
		refuse(http.StatusInternalServerError, "InternalError", "We encountered an internal error.").write(w, r)
		return
	}
	entries := make([]entry, 0, len(f.objects))
	for _, o := range f.objects {
		entries = append(entries, entry{
			Key: code(o.Key), Size: o.Size, ETag: `"` + o.ETag + `"`, StorageClass: "STANDARD",
			LastModified: time.UnixMilli(o.Modified).UTC().Format("2006-01-02T15:04:05.000Z"),
		})
	}
	if versions {
		out := versionListing{Name: bucket, Prefix: code(q.Get("prefix")), KeyMarker: code(after), EncodingType: encoding, MaxKeys: limit, IsTruncated: f.more}
		if f.more {
			out.NextKeyMarker, out.NextVersionIDMarker = code(f.last), "null"
		}
		for _, e := range entries {
			out.Version = append(out.Version, version{entry: e, VersionID: "null", IsLatest: true})
		}
		writeXML(w, http.StatusOK, out)
		return
	}
	out := listing{
		Name: bucket, Prefix: code(q.Get("prefix")), Delimiter: code(delimiter), EncodingType: encoding,
		MaxKeys: limit, IsTruncated: f.more, Contents: entries,
	}
	for _, p := range f.prefixes {
		out.CommonPrefixes = append(out.CommonPrefixes, commonPrefix{code(p)})
	}
	if v2 {
		n := len(f.objects) + len(f.prefixes)
		out.KeyCount, out.StartAfter, out.ContinuationToken = &n, code(q.Get("start-after")), q.Get("continuation-token")
		if f.more {
			out.NextContinuationToken = base64.RawURLEncoding.EncodeToString([]byte(f.last))
		}
	} else {
		marker := code(after)
		out.Marker = &marker
		if f.more && delimiter != "" {
			out.NextMarker = code(f.last)
		}
	}
	writeXML(w, http.StatusOK, out)
}
