package s3

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"fn-runtime/runtime/local/internal/state"
)

const defaultType = "binary/octet-stream"

// storedHeaders are the headers of an upload that are returned with the object, in addition to x-amz-meta-*.
var storedHeaders = []string{
	"Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language", "Content-Type", "Expires",
	"X-Amz-Website-Redirect-Location",
}

// metadata returns the metadata of the object to create, from the headers of the request.
func (c *call) metadata() (map[string]string, error) {
	meta := map[string]string{}
	size := 0
	for name, values := range c.r.Header {
		if strings.HasPrefix(name, "X-Amz-Meta-") {
			meta[name] = strings.Join(values, ",")
			size += len(name) - len("X-Amz-Meta-") + len(meta[name])
		}
	}
	for _, name := range storedHeaders {
		if v := c.r.Header.Get(name); v != "" {
			meta[name] = v
		}
	}
	// aws-chunked is the encoding of the request, not of the object.
	encodings := strings.Split(meta["Content-Encoding"], ",")
	encodings = slices.DeleteFunc(encodings, func(e string) bool { return strings.TrimSpace(e) == "aws-chunked" })
	if meta["Content-Encoding"] = strings.TrimSpace(strings.Join(encodings, ",")); meta["Content-Encoding"] == "" {
		delete(meta, "Content-Encoding")
	}
	if size > maxMetadata {
		return nil, newError(http.StatusBadRequest, "MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size")
	}
	return meta, nil
}

// setObjectHeaders sets the response headers of an object.
func (c *call) setObjectHeaders(o state.Object) {
	h := c.w.Header()
	h.Set("ETag", `"`+o.ETag+`"`)
	c.setVersionHeader(o.Version)
	h.Set("Last-Modified", modified(o).Format(http.TimeFormat))
	h.Set("Accept-Ranges", "bytes")
	h.Set("Content-Type", defaultType)
	for name, value := range o.Meta {
		switch {
		case strings.HasPrefix(name, "X-Amz-Meta-"):
			h[strings.ToLower(name)] = []string{value} // lowercase, because clients use these names exactly as received
		case name == "Content-Length", name == "Date", name == "Authorization":
		default:
			h.Set(name, value)
		}
	}
}

// responseOverrides maps query parameters to the response headers that they override.
var responseOverrides = map[string]string{
	"response-cache-control": "Cache-Control", "response-content-disposition": "Content-Disposition",
	"response-content-encoding": "Content-Encoding", "response-content-language": "Content-Language",
	"response-content-type": "Content-Type", "response-expires": "Expires",
}

func (c *call) overrideHeaders() {
	for parameter, header := range responseOverrides {
		if c.q.Has(parameter) {
			c.w.Header().Set(header, c.q.Get(parameter))
		}
	}
}

// headerTags parses the header x-amz-tagging.
func (c *call) headerTags() (map[string]string, error) {
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
