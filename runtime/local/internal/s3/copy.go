package s3

import (
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"fn-runtime/runtime/local/internal/state"
)

// source is the source object of a copy request.
type source struct{ bucket, key, version string }

func (c *call) copySource() (source, error) {
	path, version, versioned := strings.Cut(c.r.Header.Get("X-Amz-Copy-Source"), "?versionId=")
	path, err := url.PathUnescape(path)
	bucket, key, ok := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if err != nil || !ok || bucket == "" || key == "" || strings.ContainsRune(key, 0) {
		return source{}, invalidArgument("Copy Source must mention the source bucket and key: sourcebucket/sourcekey")
	}
	if versioned {
		err = validVersion(version)
	}
	return source{bucket, key, version}, err
}

// openSource opens the source of a copy if it meets the conditions of the request.
func (c *call) openSource(from source, span func(o state.Object) (int64, int64, error)) (state.Object, io.ReadCloser, error) {
	o, r, err := c.db.Open(from.bucket, from.key, from.version, func(o state.Object, _ []state.Part) (int64, int64, error) {
		ok, err := checkReadConditions(c.r.Header, "X-Amz-Copy-Source-", o)
		if err == nil && !ok {
			err = preconditionFailed()
		}
		if err != nil {
			return 0, 0, err
		}
		return span(o)
	})
	if errors.Is(err, state.ErrNotFound) {
		if has, problem := c.db.HasBucket(from.bucket); problem == nil && !has {
			return o, nil, newError(http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist")
		}
		var marker *state.DeleteMarkerError
		switch {
		case from.version != "" && errors.As(err, &marker):
			return o, nil, invalidRequest("The source of a copy request may not specifically refer to a delete marker by version id.")
		case from.version != "":
			return o, nil, noSuchVersion()
		}
		return o, nil, newError(http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
	}
	if err == nil && o.Version != "" {
		c.w.Header().Set("X-Amz-Copy-Source-Version-Id", o.Version)
	}
	return o, r, err
}

// copyResult is the response document of a copy.
type copyResult struct {
	XMLName      xml.Name
	LastModified string
	ETag         string
	sums
}

func (c *call) respondCopy(name, etag string, modified int64, sums map[string]string) {
	c.respond(http.StatusOK, copyResult{
		XMLName:      xml.Name{Space: "http://s3.amazonaws.com/doc/2006-03-01/", Local: name},
		LastModified: timestamp(time.UnixMilli(modified)), ETag: `"` + etag + `"`, sums: sumsOf(sums),
	})
}

// isReplace reports whether a directive header is REPLACE, which replaces the values of the source with those of the
// request.
func (c *call) isReplace(header string) (bool, error) {
	switch v := c.r.Header.Get(header); v {
	case "", "COPY":
		return false, nil
	case "REPLACE":
		return true, nil
	default:
		return false, invalidArgument("Unknown " + strings.ToLower(strings.TrimPrefix(header, "X-Amz-")) + ".")
	}
}

func (c *call) copyObject() error {
	from, err := c.copySource()
	if err != nil {
		return err
	}
	newMeta, err := c.isReplace("X-Amz-Metadata-Directive")
	if err != nil {
		return err
	}
	newTags, err := c.isReplace("X-Amz-Tagging-Directive")
	if err != nil {
		return err
	}
	meta, err := c.metadata()
	if err != nil {
		return err
	}
	tags, err := c.headerTags()
	if err != nil {
		return err
	}
	if from == (source{bucket: c.bucket, key: c.key}) && !newMeta && !newTags {
		return invalidRequest("This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.")
	}
	o, r, err := c.openSource(from, func(o state.Object) (int64, int64, error) {
		if o.Size > maxObject {
			return 0, 0, invalidRequest("The specified copy source is larger than the maximum allowable size for a copy source: 5368709120")
		}
		return 0, o.Size, nil
	})
	if err != nil {
		return err
	}
	defer r.Close() // read-only: errors of Close do not matter
	if !newMeta {
		meta = o.Meta
	}
	if !newTags {
		tags = o.Tags
	}
	body := verify(r, o.Size, "", nil, nil, nil)
	body.addChecksum(c.checksumAlgorithm(o))
	copy, err := c.db.Put(c.bucket, state.Object{Key: c.key, Meta: meta, Tags: tags}, body, o.Size, func(old, n *state.Object) error {
		n.Sums = body.computed
		return c.checkWriteConditions(old)
	})
	if err != nil {
		return err
	}
	c.setNewVersionHeader(copy)
	c.respondCopy("CopyObjectResult", copy.ETag, copy.Modified, copy.Sums)
	return nil
}

// checksumAlgorithm returns the checksum algorithm of a copy: the requested one, or the one of the source.
func (c *call) checksumAlgorithm(o state.Object) string {
	if requested := c.r.Header.Get("X-Amz-Checksum-Algorithm"); requested != "" {
		return strings.ToLower(requested)
	}
	for name := range o.Sums {
		return name
	}
	return ""
}

// copyPart handles UploadPartCopy.
func (c *call) copyPart(number int, u state.Upload) error {
	from, err := c.copySource()
	if err != nil {
		return err
	}
	header := c.r.Header.Get("X-Amz-Copy-Source-Range")
	requested, ok := parseRange(header)
	if header != "" && (!ok || requested.first < 0) {
		return invalidArgument("The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy")
	}
	size := int64(0)
	_, r, err := c.openSource(from, func(o state.Object) (int64, int64, error) {
		offset := int64(0)
		size = o.Size
		if header != "" {
			if requested.last >= o.Size {
				return 0, 0, newError(http.StatusRequestedRangeNotSatisfiable, "InvalidRange", "Range specified is not valid for source object of size: "+strconv.FormatInt(o.Size, 10))
			}
			offset, size, _ = requested.resolve(o.Size)
		}
		if size > maxObject {
			return 0, 0, invalidRequest("The specified copy source is larger than the maximum allowable size for a copy source: 5368709120")
		}
		return offset, size, nil
	})
	if err != nil {
		return err
	}
	defer r.Close() // read-only: errors of Close do not matter
	body := verify(r, size, "", nil, nil, nil)
	body.addChecksum(u.Sum)
	p, err := c.db.PutPart(c.bucket, c.key, u.ID, number, body, size, func(p *state.Part) { p.Sums = body.computed })
	if err != nil {
		return err
	}
	c.respondCopy("CopyPartResult", p.ETag, p.Modified, p.Sums)
	return nil
}
