//go:build unix

package hostile

import (
	"bytes"
	"compress/gzip"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"

	"fn-runtime/test/proxy"
)

// blanks returns 1 GB of spaces, compressed.
func blanks() []byte {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
	blank := bytes.Repeat([]byte(" "), 1<<20)
	for range 1024 {
		_, _ = w.Write(blank)
	}
	_ = w.Close()
	return b.Bytes()
}

// stores returns faults by name: responses to every request of the object store.
func stores() map[string]proxy.Fault {
	var escaped strings.Builder
	_ = xml.EscapeText(&escaped, []byte("\u202ered\u200b\u009b2J"))
	list := func(inside string) proxy.Fault {
		return func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
			_, _ = io.Copy(io.Discard, io.LimitReader(r.Body, 1<<20))
			w.Header().Set("Content-Type", "application/xml")
			fmt.Fprintf(w, `<?xml version="1.0"?><ListBucketResult><Name>b</Name><KeyCount>1</KeyCount>%s</ListBucketResult>`, inside)
		}
	}
	key := func(k string) string {
		return "<Contents><Key>" + k + "</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><Size>1</Size></Contents>"
	}
	var n atomic.Int64
	return map[string]proxy.Fault{
		"a page that leads to itself": list("<IsTruncated>true</IsTruncated><NextContinuationToken>same</NextContinuationToken>" + key("lithops.runtimes/a")),
		"pages without end, empty": func(w http.ResponseWriter, r *http.Request, h http.Handler) {
			list(fmt.Sprintf("<IsTruncated>true</IsTruncated><NextContinuationToken>t%d</NextContinuationToken>", n.Add(1)))(w, r, h)
		},
		"pages without end, the same key": func(w http.ResponseWriter, r *http.Request, h http.Handler) {
			list(fmt.Sprintf("<IsTruncated>true</IsTruncated><NextContinuationToken>t%d</NextContinuationToken>%s", n.Add(1), key("lithops.runtimes/openwhisk/a")))(w, r, h)
		},
		"pages without end, always new keys": func(w http.ResponseWriter, r *http.Request, h http.Handler) {
			var keys strings.Builder
			page := n.Add(1)
			for i := range 1000 {
				keys.WriteString(key(fmt.Sprintf("%s%012d/%d", r.URL.Query().Get("prefix"), page, i)))
			}
			list(fmt.Sprintf("<IsTruncated>true</IsTruncated><NextContinuationToken>t%d</NextContinuationToken>%s", page, keys.String()))(w, r, h)
		},
		"keys that lead elsewhere": list("<IsTruncated>false</IsTruncated>" + key("lithops.runtimes/openwhisk/3.7.0/../../../../../etc/x_256MB_3.7.0.meta.json") + key("/etc/passwd") +
			key("lithops.runtimes/openwhisk/3.7.0/guest/"+escaped.String()+"_256MB_3.7.0.meta.json")),
		"deep XML":     body("<a>" + strings.Repeat("<b>", 100_000)),
		"entities":     body(`<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x "` + strings.Repeat("x", 1000) + `">]><ListBucketResult><Name>&x;&x;</Name></ListBucketResult>`),
		"JSON for XML": body(`{"Contents":[]}`),
		"an error with escapes": func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			w.Header().Set("Content-Type", "application/xml")
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprintf(w, `<Error><Code>%s</Code><Message>%s</Message></Error>`, escaped.String(), escaped.String())
		},
		"endless body of the store": endless,
	}
}
