package s3

import (
	"fmt"
	"io"
	"net/http"
	"strconv"

	"fn-runtime/runtime/local/internal/state"
)

// run is what of an object is answered.
type run struct {
	status         int
	offset, length int64
	parts          int               // of the object, where one of them is asked for
	sums           map[string]string // of what is answered
}

// getObject answers GET and HEAD.
func (c *call) getObject() error {
	var part run
	o, body, err := c.db.Open(c.bucket, c.key, c.version(), func(o state.Object, parts []state.Part) (int64, int64, error) {
		send, err := mayRead(c.r.Header, "", o)
		if err != nil {
			return 0, 0, err
		}
		if !send {
			c.describe(o)
			c.w.Header().Del("Content-Type")
			return 0, 0, refuse(http.StatusNotModified, "NotModified", "Not Modified")
		}
		if part, err = c.run(o, parts); err != nil {
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
	defer body.Close() // it was read from
	c.describe(o)
	c.override()
	h := c.w.Header()
	h.Set("Content-Length", strconv.FormatInt(part.length, 10))
	if len(o.Tags) > 0 {
		h.Set("X-Amz-Tagging-Count", strconv.Itoa(len(o.Tags)))
	}
	if part.status == http.StatusPartialContent {
		h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", part.offset, part.offset+part.length-1, o.Size))
	}
	if c.r.Header.Get("X-Amz-Checksum-Mode") == "ENABLED" {
		c.claim(part.sums, sumType(o))
	}
	if part.parts > 0 {
		h.Set("X-Amz-Mp-Parts-Count", strconv.Itoa(part.parts))
	}
	c.w.WriteHeader(part.status)
	_, _ = io.Copy(c.w, body) // an answer that ends early is not as long as its header says
	return nil
}

// run finds what of an object is asked for.
func (c *call) run(o state.Object, parts []state.Part) (run, error) {
	all := run{status: http.StatusOK, length: o.Size, sums: o.Sums}
	header := c.r.Header.Get("Range")
	if c.q.Has("partNumber") {
		if header != "" {
			return all, invalidRequest("Cannot specify both Range header and partNumber query parameter.")
		}
		return c.part(o, parts)
	}
	if v := c.r.Header.Get("If-Range"); v != "" && !names(v, o.ETag) {
		if at, err := http.ParseTime(v); err != nil || modified(o).After(at) {
			return all, nil
		}
	}
	asked, ok := parseRange(header)
	if !ok {
		return all, nil
	}
	offset, length, ok := asked.within(o.Size)
	if !ok {
		c.w.Header().Set("Content-Range", fmt.Sprintf("bytes */%d", o.Size))
		return all, invalidRange()
	}
	return run{status: http.StatusPartialContent, offset: offset, length: length}, nil
}

func invalidRange() *refusal {
	return refuse(http.StatusRequestedRangeNotSatisfiable, "InvalidRange", "The requested range is not satisfiable")
}

// part finds one part of an object; one that was not uploaded in parts is its own first part.
func (c *call) part(o state.Object, parts []state.Part) (run, error) {
	number, err := partNumber(c.q.Get("partNumber"))
	if err != nil {
		return run{}, err
	}
	out := run{status: http.StatusPartialContent, parts: len(parts)}
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
	return run{}, refuse(http.StatusBadRequest, "InvalidPart", "One or more of the specified parts could not be found.")
}

func (c *call) putObject() error {
	if c.r.Header.Get("X-Amz-Copy-Source") != "" {
		return c.copyObject()
	}
	meta, err := c.metadata()
	if err != nil {
		return err
	}
	tags, err := c.tagsOf()
	if err != nil {
		return err
	}
	o, err := c.db.Put(c.bucket, state.Object{Key: c.key, Meta: meta, Tags: tags}, c.body, c.size, func(old, o *state.Object) error {
		o.Sums = c.body.found
		return c.mayWrite(old)
	})
	if err != nil {
		return err
	}
	c.w.Header().Set("ETag", `"`+o.ETag+`"`)
	c.tellMade(o)
	c.claim(o.Sums, sumType(o))
	c.w.WriteHeader(http.StatusOK)
	return nil
}

// claim says checksums of what is sent or was received.
func (c *call) claim(sums map[string]string, kind string) {
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
	var refused *refusal
	done, err := c.db.Delete(c.bucket, func(_ int, old *state.Object) (goOn bool) {
		goOn, refused = d.applies(old)
		return goOn
	}, state.Deletion{Key: d.Key, Version: d.VersionID})
	if err == nil && refused != nil {
		err = refused
	}
	if err == nil {
		c.tellVersion(or(c.version(), done[0].Version))
		if done[0].Marker {
			c.w.Header().Set("X-Amz-Delete-Marker", "true")
		}
		c.w.WriteHeader(http.StatusNoContent)
	}
	return err
}
