package transport

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"fn-runtime/runtime/text"
)

// hidden replaces values that a trace must not show. The traces of the IBM Cloud CLI use the same text.
const hidden = "[PRIVATE DATA HIDDEN]"

// Limits of a trace: a body larger than maxTraced is not parsed, and at most maxShown bytes of a smaller one are
// written.
const (
	maxTraced = 8 << 20
	maxShown  = 4 << 10
)

// shownHeaders are the only headers whose values are shown in a trace.
var shownHeaders = newSet("Accept", "Accept-Encoding", "Connection", "Content-Encoding", "Content-Length", "Content-Md5",
	"Content-Type", "Date", "Etag", "Ibm-Service-Instance-Id", "Last-Modified", "Retry-After", "Server",
	"Transfer-Encoding", "User-Agent", "Transaction-Id", "X-Amz-Bucket-Region", "X-Amz-Content-Sha256", "X-Amz-Date",
	"X-Amz-Id-2", "X-Amz-Request-Id", "X-Correlation-Id", "X-Openwhisk-Activation-Id", "X-Request-Id")

// shownQuery are the only query parameters whose values are shown in a trace.
var shownQuery = newSet("blocking", "code", "delete", "delimiter", "key-marker", "limit", "list-type", "location",
	"max-keys", "max-uploads", "offset", "overwrite", "prefix", "result", "skip", "start-after", "uploads",
	"versioning", "versions", "version-id-marker")

func newSet(names ...string) map[string]bool {
	m := make(map[string]bool, len(names))
	for _, n := range names {
		m[n] = true
	}
	return m
}

// tracer writes requests and responses in the format of the IBM Cloud CLI's traces. It shows only listed values and
// hides all others.
type tracer struct {
	mu      sync.Mutex
	out     io.Writer
	secrets redactor
}

func newTracer(o Options) *tracer {
	if o.Trace == nil {
		return nil
	}
	return &tracer{out: o.Trace, secrets: newRedactor(o)}
}

func (t *tracer) request(req *http.Request) {
	var b strings.Builder
	hide := t.hide(req)
	fmt.Fprintf(&b, "\nREQUEST: [%s]\n%s %s HTTP/1.1\nHost: %s\n", timestamp(), req.Method, shownPath(req.URL, hide), text.Line(req.URL.Host, 300))
	writeHeader(&b, req.Header, hide)
	if req.GetBody != nil && req.ContentLength > 0 && req.ContentLength <= maxReplay { // the body is in memory
		if body, err := req.GetBody(); err == nil {
			data, _ := io.ReadAll(io.LimitReader(body, maxTraced+1))
			body.Close()
			writeBody(&b, req.Header.Get("Content-Type"), data, hide)
		}
	} else if req.ContentLength != 0 {
		fmt.Fprintf(&b, "\n[%d bytes]\n", req.ContentLength)
	}
	t.write(b.String(), req)
}

func (t *tracer) response(req *http.Request, resp *http.Response, err error, took time.Duration) {
	var b strings.Builder
	hide := t.hide(req)
	fmt.Fprintf(&b, "\nRESPONSE: [%s] Elapsed: %dms\n", timestamp(), took.Milliseconds())
	if err != nil {
		fmt.Fprintf(&b, "%s\n", text.Line(hide(err.Error()), maxShown))
		t.write(b.String(), req)
		return
	}
	fmt.Fprintf(&b, "%s %s\n", resp.Proto, text.Line(hide(resp.Status), 100))
	writeHeader(&b, resp.Header, hide)
	writeBody(&b, resp.Header.Get("Content-Type"), peek(resp), hide)
	t.write(b.String(), req)
}

// hide returns a function that redacts secrets and the credentials of a request. It must run before the text is
// truncated, because a truncated secret would not be recognized.
func (t *tracer) hide(req *http.Request) func(string) string {
	return func(text string) string { return t.secrets.redact(text, req) }
}

// write appends a text to the trace. It hides the credentials of the request wherever they were echoed.
func (t *tracer) write(text string, req *http.Request) {
	text = t.secrets.redact(text, req)
	t.mu.Lock()
	defer t.mu.Unlock()
	_, _ = io.WriteString(t.out, text) // a trace that cannot be written must not stop the command
}

// timestamp returns the current time for a trace.
func timestamp() string { return time.Now().UTC().Format(time.RFC3339Nano) }

// shownPath returns the path of a URL with its query. It hides the values of parameters that may not be shown.
func shownPath(u *url.URL, hide func(string) string) string {
	query := u.Query()
	for name, values := range query {
		if !shownQuery[name] {
			query[name] = slices.Repeat([]string{hidden}, len(values))
		}
	}
	path := text.Line(hide(u.EscapedPath()), 2000)
	if len(query) == 0 {
		return path
	}
	return path + "?" + text.Line(hide(query.Encode()), 2000)
}

func writeHeader(b *strings.Builder, h http.Header, hide func(string) string) {
	for _, name := range slices.Sorted(maps.Keys(h)) {
		for _, value := range h[name] {
			if !shownHeaders[http.CanonicalHeaderKey(name)] {
				value = hidden
			}
			fmt.Fprintf(b, "%s: %s\n", text.Line(hide(name), 200), text.Line(hide(value), 500))
		}
	}
}
