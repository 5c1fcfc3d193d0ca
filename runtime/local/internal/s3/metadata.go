package s3

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"fn-runtime/runtime/local/internal/state"
)

const defaultType = "binary/octet-stream"

// kept are the headers of an upload that come back with the object, beside x-amz-meta-*.
var kept = []string{
	"Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language", "Content-Type", "Expires",
	"X-Amz-Website-Redirect-Location",
}

// metadata reads what a request says of the object that it makes.
func (c *call) metadata() (map[string]string, error) {
	meta := map[string]string{}
	size := 0
	for name, values := range c.r.Header {
		if strings.HasPrefix(name, "X-Amz-Meta-") {
			meta[name] = strings.Join(values, ",")
			size += len(name) - len("X-Amz-Meta-") + len(meta[name])
		}
	}
	for _, name := range kept {
		if v := c.r.Header.Get(name); v != "" {
			meta[name] = v
		}
	}
	// aws-chunked is how the request is written, not the object.
	encodings := strings.Split(meta["Content-Encoding"], ",")
	encodings = slices.DeleteFunc(encodings, func(e string) bool { return strings.TrimSpace(e) == "aws-chunked" })
	if meta["Content-Encoding"] = strings.TrimSpace(strings.Join(encodings, ",")); meta["Content-Encoding"] == "" {
		delete(meta, "Content-Encoding")
	}
	if size > maxMetadata {
		return nil, refuse(http.StatusBadRequest, "MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size")
	}
	return meta, nil
}

// describe sets the headers of an object.
func (c *call) describe(o state.Object) {
	h := c.w.Header()
	h.Set("ETag", `"`+o.ETag+`"`)
	c.tellVersion(o.Version)
	h.Set("Last-Modified", modified(o).Format(http.TimeFormat))
	h.Set("Accept-Ranges", "bytes")
	h.Set("Content-Type", defaultType)
	for name, value := range o.Meta {
		switch {
		case strings.HasPrefix(name, "X-Amz-Meta-"):
			h[strings.ToLower(name)] = []string{value} // clients take such names as they come
		case name == "Content-Length", name == "Date", name == "Authorization":
		default:
			h.Set(name, value)
		}
	}
}

// override are the parameters of a query that replace headers of an object.
var override = map[string]string{
	"response-cache-control": "Cache-Control", "response-content-disposition": "Content-Disposition",
	"response-content-encoding": "Content-Encoding", "response-content-language": "Content-Language",
	"response-content-type": "Content-Type", "response-expires": "Expires",
}

func (c *call) override() {
	for parameter, header := range override {
		if c.q.Has(parameter) {
			c.w.Header().Set(header, c.q.Get(parameter))
		}
	}
}

// tagsOf reads the header x-amz-tagging.
func (c *call) tagsOf() (map[string]string, error) {
	text := c.r.Header.Get("X-Amz-Tagging")
	if text == "" {
		return nil, nil
	}
	q, err := url.ParseQuery(text)
	if err != nil {
		return nil, invalidArgument("The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.")
	}
	set := []tag{}
	for name, values := range q {
		for _, v := range values {
			set = append(set, tag{name, v})
		}
	}
	return checkTags(set, maxObjectTags)
}
