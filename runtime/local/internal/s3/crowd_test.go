package s3

import (
	"fmt"
	"io"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fn-runtime/runtime/local/internal/state"
)

// TestDocumentsOfACrowdAreBounded: each document may have megabytes, and all that are on their way have to be in memory.
func TestDocumentsOfACrowdAreBounded(t *testing.T) {
	s := newStore(t)
	const small = `<Delete><Object><Key>k</Key></Object></Delete>`
	s.want("200", "POST", "/bucket?delete", small)
	var crowd sync.WaitGroup
	var begun []*io.PipeWriter
	for range documents / maxDocument {
		body, send := io.Pipe()
		begun = append(begun, send)
		crowd.Go(func() {
			h := map[string]string{"Content-Length": fmt.Sprint(maxDocument)}
			r := signed("POST", "/bucket?delete", "UNSIGNED-PAYLOAD", noon.Format(timeFormat), body, h)
			r.ContentLength = maxDocument
			s.h.ServeHTTP(httptest.NewRecorder(), r)
		})
		if _, err := io.WriteString(send, "<Delete>"); err != nil { // until the request reads it
			t.Fatal(err)
		}
	}
	if w := s.want("503 SlowDown", "POST", "/bucket?delete", small); w.Header().Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	s.want("200", "PUT", "/bucket/k", "objects are no documents")
	for _, send := range begun {
		_ = send.Close()
	}
	crowd.Wait()
	s.want("200", "POST", "/bucket?delete", small)
}

// TestAListingHoldsOnlyWhatItShows: metadata and tags of 1,000 objects are megabytes.
func TestAListingHoldsOnlyWhatItShows(t *testing.T) {
	s := newStore(t)
	s.want("200", "PUT", "/bucket/k", "data", "x-amz-meta-large: "+strings.Repeat("x", 1000), "x-amz-tagging: a=b")
	c := &call{Server: s.h.(*Server), bucket: "bucket"}
	f, err := c.find("", "", "", 10)
	if err != nil || len(f.objects) != 1 {
		t.Fatal(len(f.objects), err)
	}
	got := f.objects[0]
	if diff := cmp.Diff(state.Object{Key: "k", Size: 4, ETag: got.ETag, Modified: got.Modified}, got); diff != "" {
		t.Error(diff)
	}
}
