package local

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestPatience: a client that trickles is let go with 408, and one that does not read its answer loses its connection.
func TestPatience(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds of real time")
	}
	ended := make(chan error, 10)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var err error
		defer func() { ended <- err }()
		switch r.URL.Path {
		case "/flood": // more than buffers of sockets hold
			for err == nil {
				_, err = w.Write(make([]byte, 1<<20))
			}
		default:
			if _, err = io.Copy(io.Discard, r.Body); err != nil {
				w.WriteHeader(http.StatusInternalServerError)
				return
			}
			w.WriteHeader(http.StatusOK)
		}
	})
	server := httptest.NewServer(patience{grace: 300 * time.Millisecond, rate: 1 << 10}.wrap(handler))
	defer server.Close()
	dial := func(request string) (net.Conn, *bufio.Reader) {
		c, err := net.Dial("tcp", strings.TrimPrefix(server.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		_ = c.SetDeadline(time.Now().Add(2 * time.Minute))
		if _, err := io.WriteString(c, request); err != nil {
			t.Fatal(err)
		}
		return c, bufio.NewReader(c)
	}

	slow, refusal := dial("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
	stop := make(chan struct{})
	defer close(stop)
	go func() { // never silent for long
		for {
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
				_, _ = slow.Write([]byte("x"))
			}
		}
	}()
	resp, err := http.ReadResponse(refusal, nil)
	if err != nil || resp.StatusCode != http.StatusRequestTimeout {
		t.Errorf("a trickling body: %v, %v", resp, err)
	}
	if err := <-ended; err == nil {
		t.Error("a trickling body was taken whole")
	}

	dial("GET /flood HTTP/1.1\r\nHost: x\r\n\r\n") // and nothing is read
	if err := <-ended; err == nil {
		t.Error("an answer that nobody reads")
	}

	// A slow handler is not a slow client. The second half comes while the handler is busy.
	paused, sent := make(chan struct{}), make(chan struct{})
	slowly := httptest.NewServer(patience{grace: 300 * time.Millisecond, rate: 1 << 10}.wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		half := make([]byte, 2)
		var errs [4]error
		_, errs[0] = io.ReadFull(r.Body, half)
		paused <- struct{}{}
		<-sent
		_, errs[1] = io.ReadFull(r.Body, half)
		_, errs[2] = w.Write(half)
		time.Sleep(time.Second)
		_, errs[3] = w.Write(half)
		ended <- errors.Join(append(errs[:], r.Context().Err())...)
	})))
	defer slowly.Close()
	for range 2 {
		resp, err := slowly.Client().Post(slowly.URL, "text/plain", io.MultiReader(strings.NewReader("bo"), later(func() {
			<-paused
			time.Sleep(600 * time.Millisecond) // twice the grace
			sent <- struct{}{}
		}), strings.NewReader("dy")))
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err := errors.Join(err, <-ended); err != nil || string(text) != "dydy" || resp.StatusCode != http.StatusOK {
			t.Errorf("%q, %v, %v", text, resp.Status, err)
		}
	}
}

// later reads as nothing, after it has waited.
type later func()

func (wait later) Read([]byte) (int, error) {
	wait()
	return 0, io.EOF
}
