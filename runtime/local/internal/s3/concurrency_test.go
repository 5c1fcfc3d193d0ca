package s3

import (
	"fmt"
	"io"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fn-runtime/runtime/local/internal/state"
)

// The memory for the documents of concurrent requests is limited. Each document may have several megabytes.
func TestDocumentMemoryIsBounded(t *testing.T) {
	s := newStore(t)
	const small = `<Delete><Object><Key>k</Key></Object></Delete>`
	s.want("200", "POST", "/bucket?delete", small)
	var crowd sync.WaitGroup
	var started []*io.PipeWriter
	for range maxDocumentMemory / maxDocument {
		body, send := io.Pipe()
		started = append(started, send)
		crowd.Go(func() {
			h := map[string]string{"Content-Length": fmt.Sprint(maxDocument)}
			r := signed("POST", "/bucket?delete", "UNSIGNED-PAYLOAD", noon.Format(timeFormat), body, h)
			r.ContentLength = maxDocument
			s.h.ServeHTTP(httptest.NewRecorder(), r)
		})
		if _, err := io.WriteString(send, "<Delete>"); err != nil { // blocks until the request reads it
			t.Fatal(err)
		}
	}
	if w := s.want("503 SlowDown", "POST", "/bucket?delete", small); w.Header().Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	s.want("200", "PUT", "/bucket/k", "objects are no documents")
	for _, send := range started {
		_ = send.Close()
	}
	crowd.Wait()
	s.want("200", "POST", "/bucket?delete", small)
}

// A listing keeps only the fields that it shows, because metadata and tags of 1,000 objects would use several
// megabytes.
func TestListingKeepsOnlyShownFields(t *testing.T) {
	s := newStore(t)
	s.want("200", "PUT", "/bucket/k", "data", "x-amz-meta-large: "+strings.Repeat("x", 1000), "x-amz-tagging: a=b")
	list := func(fn func(state.Object) (string, bool)) error {
		return s.h.(*Server).db.Objects("bucket", "", "", fn)
	}
	f, err := collectPage(list, page{maxEntries: 10}, "")
	if err != nil || len(f.objects) != 1 {
		t.Fatal(len(f.objects), err)
	}
	got := f.objects[0]
	if diff := cmp.Diff(state.Object{Key: "k", Size: 4, ETag: got.ETag, Modified: got.Modified}, got); diff != "" {
		t.Error(diff)
	}
}

// slowWriter is a response writer whose client does not read until read is closed.
type slowWriter struct {
	*httptest.ResponseRecorder
	started chan<- struct{}
	read    <-chan struct{}
	once    sync.Once
}

func (w *slowWriter) Write(p []byte) (int, error) {
	w.once.Do(func() { w.started <- struct{}{} })
	<-w.read
	return w.ResponseRecorder.Write(p)
}

// Clients that do not read their listings do not use memory or slots that other requests need. A page of long keys has
// several megabytes.
func TestSlowListingClientsHoldNoMemoryOrSlots(t *testing.T) {
	s := newStore(t)
	var puts sync.WaitGroup
	for first := range 50 { // concurrent writes share transactions
		puts.Go(func() {
			for i := first; i < 1000; i += 50 {
				s.want("200", "PUT", fmt.Sprintf("/bucket/%s%04d", strings.Repeat("k", 1000), i), "")
			}
		})
	}
	puts.Wait()
	heap := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	const crowd = 40
	started, read := make(chan struct{}, crowd), make(chan struct{})
	before := heap()
	var wg sync.WaitGroup
	responses := make([]*slowWriter, crowd)
	for i := range responses {
		responses[i] = &slowWriter{ResponseRecorder: httptest.NewRecorder(), started: started, read: read}
		wg.Go(func() {
			s.h.ServeHTTP(responses[i], signed("GET", "/bucket?list-type=2", sha256Hex(""), noon.Format(timeFormat), strings.NewReader(""), map[string]string{"Content-Length": "0"}))
		})
	}
	for range crowd {
		<-started
	}
	if grown := heap() - before; grown > 20<<20 {
		t.Errorf("%d unread listings hold %d MiB, want less than 20", crowd, grown>>20)
	}
	s.want("200", "GET", "/bucket?max-keys=1", "")
	close(read)
	wg.Wait()
	for _, a := range responses {
		if n := strings.Count(a.Body.String(), "<Key>"); a.Code != 200 || n != 1000 {
			t.Fatalf("got %d and %d keys, want 200 and 1000", a.Code, n)
		}
	}
}
