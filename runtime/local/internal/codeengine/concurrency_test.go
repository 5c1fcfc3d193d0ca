package codeengine

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// slowClient is a client that waits before it reads the first byte of a response, or before it sends the end of its
// body.
type slowClient struct {
	*httptest.ResponseRecorder
	io.Reader
	started chan<- struct{}
	resume  <-chan struct{}
	once    sync.Once
}

func (s *slowClient) wait() {
	s.once.Do(func() { s.started <- struct{}{} })
	<-s.resume
}

func (s *slowClient) Write(p []byte) (int, error) {
	s.wait()
	return s.ResponseRecorder.Write(p)
}

func (s *slowClient) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if err == io.EOF {
		s.wait()
	}
	return n, err
}

// heap returns the allocated heap bytes.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// Slow clients do not use memory or slots that other requests need. A list of config maps may have 100 MiB, and a body
// 8 MiB.
func TestSlowClientsHoldNoMemoryOrSlots(t *testing.T) {
	f := newFixture(t, &fakeInvoker{})
	text := strings.Repeat("x", 512<<10)
	const maps, crowd = 8, 20
	for i := range maps {
		f.want(201, "POST", "config_maps", fmt.Sprintf(`{"name":"m%d","data":{"k":%q}}`, i, text))
	}
	for _, c := range []struct {
		name, method, path, body string
		status                   int
	}{
		{"lists", "GET", "config_maps", "", 200},
		{"config maps", "GET", "config_maps/m0", "", 200},
		{"changes", "PUT", "config_maps/m0", `{"data":{"k":"` + text + `"}}`, 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			started, resume := make(chan struct{}, crowd), make(chan struct{})
			clients := make([]*slowClient, crowd)
			before := heap()
			var wg sync.WaitGroup
			for i := range clients {
				s := &slowClient{ResponseRecorder: httptest.NewRecorder(), Reader: strings.NewReader(c.body), started: started, resume: resume}
				clients[i] = s
				body := io.Reader(http.NoBody)
				if c.body != "" {
					body = s
				}
				r := httptest.NewRequest(c.method, "https://"+testHost+"/v2/projects/"+f.project+"/"+c.path, body)
				r.Header.Set("Authorization", "Bearer token")
				r.Header.Set("If-Match", "*")
				wg.Go(func() { f.api.ServeHTTP(s, r) })
			}
			for range crowd {
				<-started
			}
			if grown := heap() - before; grown > 8<<20 {
				t.Errorf("%d clients hold %d MiB, want less than 8", crowd, grown>>20)
			}
			f.want(200, "GET", "config_maps?limit=1", "")
			close(resume)
			wg.Wait()
			for _, s := range clients {
				if s.Code != c.status && s.Code != http.StatusPreconditionFailed { // another change was faster
					t.Errorf("got %d %.200s, want %d", s.Code, s.Body, c.status)
				}
			}
		})
	}
	if doc := f.want(200, "GET", "config_maps", ""); len(doc["config_maps"].([]any)) != maps {
		t.Errorf("got %d config maps, want %d", len(doc["config_maps"].([]any)), maps)
	}
}
