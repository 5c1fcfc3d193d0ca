package s3

import (
	"fmt"
	"io"
	"net/http"
	"strconv"

	"fn-runtime/runtime/local/internal/state"
)

// span is the section of an object that a response contains.
type span struct {
	status         int
	offset, length int64
	parts          int               // number of parts of the object, if a single part was requested
	sums           map[string]string // checksums of the section
}

// getObject handles GET and HEAD.
func (c *call) getObject() error {
	var part span
	o, body, err := c.db.Open(c.bucket, c.key, c.version(), func(o state.Object, parts []state.Part) (int64, int64, error) {
		send, err := checkReadConditions(c.r.Header, "", o)
		if err != nil {
			return 0, 0, err
		}
		if !send {
			c.setObjectHeaders(o)
			c.w.Header().Del("Content-Type")
			return 0, 0, newError(http.StatusNotModified, "NotModified", "Not Modified")
		}
		if part, err = c.selectSpan(o, parts); err != nil {
			return 0, 0, err
		}
		if c.r.Method == http.MethodHead {
			return 0, 0, nil
		}
		return part.offset, part.length, nil
	})
	if err != nil {
		return err
	}
	defer body.Close() // read-only: errors of Close do not matter
	c.setObjectHeaders(o)
	c.overrideHeaders()
	h := c.w.Header()
	h.Set("Content-Length", strconv.FormatInt(part.length, 10))
	if len(o.Tags) > 0 {
		h.Set("X-Amz-Tagging-Count", strconv.Itoa(len(o.Tags)))
	}
	if part.status == http.StatusPartialContent {
		h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", part.offset, part.offset+part.length-1, o.Size))
	}
	if c.r.Header.Get("X-Amz-Checksum-Mode") == "ENABLED" {
		c.setChecksumHeaders(part.sums, sumType(o))
	}
	if part.parts > 0 {
		h.Set("X-Amz-Mp-Parts-Count", strconv.Itoa(part.parts))
	}
	c.w.WriteHeader(part.status)
	_, _ = io.Copy(c.w, body) // a client detects a truncated response by its Content-Length
	return nil
}

// selectSpan returns the requested section of an object.
func (c *call) selectSpan(o state.Object, parts []state.Part) (span, error) {
	all := span{status: http.StatusOK, length: o.Size, sums: o.Sums}
	header := c.r.Header.Get("Range")
	if c.q.Has("partNumber") {
		if header != "" {
			return all, invalidRequest("Cannot specify both Range header and partNumber query parameter.")
		}
		return c.selectPart(o, parts)
	}
	if v := c.r.Header.Get("If-Range"); v != "" && !matchesETag(v, o.ETag) {
		if at, err := http.ParseTime(v); err != nil || modified(o).After(at) {
			return all, nil
		}
	}
	requested, ok := parseRange(header)
	if !ok {
		return all, nil
	}
	offset, length, ok := requested.resolve(o.Size)
	if !ok {
		c.w.Header().Set("Content-Range", fmt.Sprintf("bytes */%d", o.Size))
		return all, invalidRange()
	}
	return span{status: http.StatusPartialContent, offset: offset, length: length}, nil
}

func invalidRange() *apiError {
	return newError(http.StatusRequestedRangeNotSatisfiable, "InvalidRange", "The requested range is not satisfiable")
}

// selectPart returns the requested part of an object. An object that was not uploaded in parts has one part.
func (c *call) selectPart(o state.Object, parts []state.Part) (span, error) {
	number, err := partNumber(c.q.Get("partNumber"))
	if err != nil {
		return span{}, err
	}
	out := span{status: http.StatusPartialContent, parts: len(parts)}
	if len(parts) == 0 && number == 1 {
		out.length, out.sums = o.Size, o.Sums
		if o.Size == 0 {
			out.status = http.StatusOK
		}
		return out, nil
	}
	for _, p := range parts {
		if p.Number == number {
			out.length, out.sums = p.Size, p.Sums
			return out, nil
		}
		out.offset += p.Size
	}
	return span{}, newError(http.StatusBadRequest, "InvalidPart", "One or more of the specified parts could not be found.")
}

func (c *call) putObject() error {
	if c.r.Header.Get("X-Amz-Copy-Source") != "" {
		return c.copyObject()
	}
	meta, err := c.metadata()
	if err != nil {
		return err
	}
	tags, err := c.headerTags()
	if err != nil {
		return err
	}
	o, err := c.db.Put(c.bucket, state.Object{Key: c.key, Meta: meta, Tags: tags}, c.body, c.size, func(old, o *state.Object) error {
		o.Sums = c.body.computed
		return c.checkWriteConditions(old)
	})
	if err != nil {
		return err
	}
	c.w.Header().Set("ETag", `"`+o.ETag+`"`)
	c.setNewVersionHeader(o)
	c.setChecksumHeaders(o.Sums, sumType(o))
	c.w.WriteHeader(http.StatusOK)
	return nil
}

// setChecksumHeaders sets the checksum headers of the response.
func (c *call) setChecksumHeaders(sums map[string]string, kind string) {
	for name, sum := range sums {
		c.w.Header().Set(checksumPrefix+name, sum)
		c.w.Header().Set("X-Amz-Checksum-Type", kind)
	}
}

func sumType(o state.Object) string {
	if o.Combined {
		return composite
	}
	return fullObject
}

func (c *call) deleteObject() error {
	h := c.r.Header
	d := deletion{
		Key: c.key, VersionID: c.version(),
		ETag: h.Get("If-Match"), LastModifiedTime: h.Get("X-Amz-If-Match-Last-Modified-Time"), Size: h.Get("X-Amz-If-Match-Size"),
	}
	var refused *apiError
	done, err := c.db.Delete(c.bucket, func(_ int, old *state.Object) (goOn bool) {
		goOn, refused = d.applies(old)
		return goOn
	}, state.Deletion{Key: d.Key, Version: d.VersionID})
	if err == nil && refused != nil {
		err = refused
	}
	if err == nil {
		c.setVersionHeader(firstNonEmpty(c.version(), done[0].Version))
		if done[0].Marker {
			c.w.Header().Set("X-Amz-Delete-Marker", "true")
		}
		c.w.WriteHeader(http.StatusNoContent)
	}
	return err
}
