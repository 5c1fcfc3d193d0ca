package s3

import (
	"encoding/base64"
	"encoding/xml"
	"net/http"
	"strconv"
	"strings"
	"time"

	"fn-runtime/runtime/local/internal/state"
)

// pageMax is the maximum page size of S3.
const pageMax = 1000

const storageClass = "STANDARD"

// parseLimit parses the maximum page size. It returns at most pageMax, which is also the default for "".
func parseLimit(text, name string) (int, error) {
	n, err := parseNumber(firstNonEmpty(text, strconv.Itoa(pageMax)), name)
	return min(n, pageMax), err
}

func parseNumber(text, name string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > 1<<31-1 {
		return 0, invalidArgument("Provided " + name + " not an integer or within integer range")
	}
	return n, nil
}

func firstNonEmpty(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// page holds the common parameters of all listings.
type page struct {
	prefix, delimiter string
	maxEntries        int
	encode            func(string) string // encodes names in the response
}

// page returns the parameters of a listing. limitParam is the name of the parameter for the maximum number of entries.
func (c *call) page(limitParam string) (page, error) {
	n, err := parseLimit(c.q.Get(limitParam), limitParam)
	if err != nil {
		return page{}, err
	}
	p := page{prefix: c.q.Get("prefix"), delimiter: c.q.Get("delimiter"), maxEntries: n, encode: func(s string) string { return s }}
	switch c.q.Get("encoding-type") {
	case "":
	case "url":
		p.encode = func(s string) string { return uriEncode(s, true) }
	default:
		return page{}, invalidArgument("Invalid Encoding Method specified in Request")
	}
	return p, nil
}

// common returns the common prefix that replaces a key in a listing, or "" if the key itself is listed.
func (p page) common(key string) string {
	if p.delimiter != "" {
		if i := strings.Index(key[len(p.prefix):], p.delimiter); i >= 0 {
			return key[:len(p.prefix)+i+len(p.delimiter)]
		}
	}
	return ""
}

// listing is the response of ListObjects and ListObjectsV2. Fields of the other version stay empty.
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
	ContinuationToken     *string
	NextContinuationToken string `xml:",omitempty"`
	Contents              []entry
	CommonPrefixes        []commonPrefix
}

type entry struct {
	Key          string
	LastModified string
	ETag         string
	Size         int64
	Owner        *owner
	StorageClass string
}

type commonPrefix struct{ Prefix string }

// listPage is one page of a listing.
type listPage struct {
	objects  []state.Object
	prefixes []string
	last     string // the next page starts after this key or common prefix
	version  string // version of last; empty for a common prefix
	more     bool
}

// lister calls fn for each object or version, like DB.Objects and DB.Versions of package state.
type lister func(fn func(state.Object) (seek string, more bool)) error

// collectPage returns the page of a listing that starts after the key or common prefix after.
func collectPage(list lister, p page, after string) (f listPage, err error) {
	err = list(func(o state.Object) (string, bool) {
		common := p.common(o.Key)
		if common != "" && after == common { // the previous page ended with this prefix
			return afterPrefix(common), true
		}
		if len(f.objects)+len(f.prefixes) == p.maxEntries {
			f.more = p.maxEntries > 0
			return "", false
		}
		if common == "" {
			f.objects = append(f.objects, state.Object{ // only the fields that a listing shows
				Key: o.Key, Size: o.Size, ETag: o.ETag, Modified: o.Modified, Version: o.Version, Marker: o.Marker, Latest: o.Latest,
			})
			f.last, f.version = o.Key, firstNonEmpty(o.Version, nullVersion)
			return "", true
		}
		f.prefixes, f.last, f.version = append(f.prefixes, common), common, ""
		return afterPrefix(common), true
	})
	return f, err
}

// common returns the common prefixes of a page as in the response document.
func (f listPage) common(encode func(string) string) (list []commonPrefix) {
	for _, p := range f.prefixes {
		list = append(list, commonPrefix{encode(p)})
	}
	return list
}

// afterPrefix returns a key that is greater than all keys that start with prefix: keys are UTF-8 and never contain the
// byte 0xff.
func afterPrefix(prefix string) string { return prefix + "\xff" }

// listObjects handles ListObjects and ListObjectsV2.
func (c *call) listObjects() error {
	p, err := c.page("max-keys")
	if err != nil {
		return err
	}
	after, v2 := c.q.Get("marker"), c.q.Get("list-type") == "2"
	switch {
	case v2 && c.q.Has("continuation-token"):
		token, err := base64.RawURLEncoding.DecodeString(c.q.Get("continuation-token"))
		if err != nil {
			return invalidArgument("The continuation token provided is incorrect")
		}
		after = string(token)
	case v2:
		after = c.q.Get("start-after")
	}
	if err := c.slot.Acquire(c.r.Context()); err != nil {
		return err
	}
	list := func(fn func(state.Object) (string, bool)) error {
		return c.db.Objects(c.bucket, p.prefix, after, fn)
	}
	f, err := collectPage(list, p, after)
	if err != nil {
		return err
	}
	entries := make([]entry, 0, len(f.objects))
	for _, o := range f.objects {
		e := entry{Key: p.encode(o.Key), Size: o.Size, ETag: `"` + o.ETag + `"`, StorageClass: storageClass, LastModified: timestamp(time.UnixMilli(o.Modified))}
		if !v2 || c.q.Get("fetch-owner") == "true" {
			e.Owner = localOwner
		}
		entries = append(entries, e)
	}
	out := listing{
		Name: c.bucket, Prefix: p.encode(p.prefix), Delimiter: p.encode(p.delimiter), EncodingType: c.q.Get("encoding-type"),
		MaxKeys: p.maxEntries, IsTruncated: f.more, Contents: entries, CommonPrefixes: f.common(p.encode),
	}
	if v2 {
		n := len(f.objects) + len(f.prefixes)
		out.KeyCount, out.StartAfter = &n, p.encode(c.q.Get("start-after"))
		if token := c.q.Get("continuation-token"); c.q.Has("continuation-token") {
			out.ContinuationToken = &token
		}
		if f.more {
			out.NextContinuationToken = base64.RawURLEncoding.EncodeToString([]byte(f.last))
		}
	} else {
		marker := p.encode(after)
		out.Marker = &marker
		if f.more && p.delimiter != "" {
			out.NextMarker = p.encode(f.last)
		}
	}
	c.respond(http.StatusOK, out)
	return nil
}
