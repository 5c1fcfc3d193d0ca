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
	list := func(each func(state.Object) (string, bool)) error {
		return s.h.(*Server).db.Objects("bucket", "", "", each)
	}
	f, err := find(list, page{most: 10}, "")
	if err != nil || len(f.objects) != 1 {
		t.Fatal(len(f.objects), err)
	}
	got := f.objects[0]
	if diff := cmp.Diff(state.Object{Key: "k", Size: 4, ETag: got.ETag, Modified: got.Modified}, got); diff != "" {
		t.Error(diff)
	}
}

// unread is an answer that its client does not read for a while.
type unread struct {
	*httptest.ResponseRecorder
	begun chan<- struct{}
	read  <-chan struct{}
	once  sync.Once
}

func (u *unread) Write(p []byte) (int, error) {
	u.once.Do(func() { u.begun <- struct{}{} })
	<-u.read
	return u.ResponseRecorder.Write(p)
}

// TestACrowdThatDoesNotReadItsListings takes neither memory nor turns from others: a page of long keys has megabytes.
func TestACrowdThatDoesNotReadItsListings(t *testing.T) {
	s := newStore(t)
	var puts sync.WaitGroup
	for first := range 50 { // side by side they share transactions
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
	begun, read := make(chan struct{}, crowd), make(chan struct{})
	before := heap()
	var wg sync.WaitGroup
	answers := make([]*unread, crowd)
	for i := range answers {
		answers[i] = &unread{ResponseRecorder: httptest.NewRecorder(), begun: begun, read: read}
		wg.Go(func() {
			s.h.ServeHTTP(answers[i], signed("GET", "/bucket?list-type=2", digest(""), noon.Format(timeFormat), strings.NewReader(""), map[string]string{"Content-Length": "0"}))
		})
	}
	for range crowd {
		<-begun
	}
	if grown := heap() - before; grown > 20<<20 {
		t.Errorf("%d listings that nobody reads hold %d MiB, want less than 20", crowd, grown>>20)
	}
	s.want("200", "GET", "/bucket?max-keys=1", "")
	close(read)
	wg.Wait()
	for _, a := range answers {
		if n := strings.Count(a.Body.String(), "<Key>"); a.Code != 200 || n != 1000 {
			t.Fatalf("got %d and %d keys, want 200 and 1000", a.Code, n)
		}
	}
}
