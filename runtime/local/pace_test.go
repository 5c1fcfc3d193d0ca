package local

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fn-runtime/runtime/runtimetest"
)

// pacedServer serves a handler on in-memory connections with the endpoint's limits for slow clients.
func pacedServer(t *testing.T, h http.HandlerFunc) *runtimetest.Listener {
	t.Helper()
	m := runtimetest.NewListener()
	server := &http.Server{Handler: clientPace{grace: paceGrace, rate: paceRate}.wrap(h)}
	served := make(chan error, 1)
	go func() { served <- server.Serve(m) }()
	t.Cleanup(func() {
		_ = server.Close()
		<-served
		time.Sleep(time.Second) // net/http keeps a connection with an unread body open for 500 ms
	})
	return m
}

func clientOf(t *testing.T, m *runtimetest.Listener) *http.Client {
	t.Helper()
	transport := &http.Transport{DialContext: m.Dial}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// request sends a request and returns the connection, from which the caller can read the response.
func request(t *testing.T, m *runtimetest.Listener, text string) net.Conn {
	t.Helper()
	c, err := m.Dial(t.Context(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	return c
}

// A request body that arrives too slowly is rejected with 408, even if there are no long pauses.
func TestSlowBodyIsRejected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan error, 1)
		m := pacedServer(t, func(w http.ResponseWriter, r *http.Request) {
			_, err := io.Copy(io.Discard, r.Body)
			w.WriteHeader(http.StatusInternalServerError)
			ended <- err
		})
		c := request(t, m, "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
		var sender sync.WaitGroup
		defer sender.Wait()
		defer c.Close()
		sender.Go(func() {
			for err := error(nil); err == nil; time.Sleep(20 * time.Millisecond) {
				_, err = io.WriteString(c, "x")
			}
		})
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil || resp.StatusCode != http.StatusRequestTimeout {
			t.Errorf("got %v, %v, want 408", resp, err)
		}
		if err := <-ended; err == nil {
			t.Error("the complete body was read")
		}
	})
}

// With "Expect: 100-continue", a rejected request is answered at once. The server does not wait for the body.
func TestExpectContinueIsRejectedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := pacedServer(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
		begun := time.Now()
		c := request(t, m, "PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1000\r\n\r\n")
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil || resp.StatusCode != http.StatusForbidden || time.Since(begun) != 0 {
			t.Errorf("got %v, %v after %v, want 403 at once", resp, err, time.Since(begun))
		}
	})
}

// If the client does not read the response, the write fails after the grace period.
func TestClientThatDoesNotReadIsDisconnected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan error, 1)
		m := pacedServer(t, func(w http.ResponseWriter, _ *http.Request) {
			_, err := w.Write(make([]byte, 1<<20))
			ended <- err
		})
		begun := time.Now()
		request(t, m, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		if err := <-ended; err == nil || time.Since(begun) != paceGrace {
			t.Errorf("got %v after %v, want an error after %v", err, time.Since(begun), paceGrace)
		}
	})
}

// A large response may take many times the grace period if the client reads each piece in time. If the client pauses
// for too long, it gets an error and not a response that looks complete.
func TestSteadyReaderGetsCompleteResponse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const size = 24 << 20
		m := pacedServer(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, size)) })
		client := clientOf(t, m)
		read := func(first, later time.Duration) (total int64, err error) {
			resp, err := client.Get("http://memory")
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			time.Sleep(first)
			for err == nil {
				var n int64
				n, err = io.CopyN(io.Discard, resp.Body, 1<<20)
				total += n
				time.Sleep(later)
			}
			if err == io.EOF {
				err = nil
			}
			return total, err
		}
		if n, err := read(0, paceGrace-time.Second); n != size || err != nil {
			t.Errorf("a steady reader got %d of %d bytes, %v", n, size, err)
		}
		if n, err := read(paceGrace+time.Second, 0); err == nil || n == size {
			t.Errorf("a reader that pauses for too long got %d of %d bytes, %v; want an error", n, size, err)
		}
	})
}

// The time that the handler takes does not count against the client: here the second half of the body arrives while the
// handler is busy.
func TestSlowHandlerDoesNotCountAsSlowClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		paused, sent, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
		m := pacedServer(t, func(w http.ResponseWriter, r *http.Request) {
			half := make([]byte, 2)
			var errs [4]error
			_, errs[0] = io.ReadFull(r.Body, half)
			paused <- struct{}{}
			<-sent
			_, errs[1] = io.ReadFull(r.Body, half)
			_, errs[2] = w.Write(half)
			time.Sleep(3 * paceGrace)
			_, errs[3] = w.Write(half)
			ended <- errors.Join(append(errs[:], context.Cause(r.Context()))...)
		})
		client := clientOf(t, m)
		for range 2 { // both requests use the same connection
			resp, err := client.Post("http://memory", "text/plain", io.MultiReader(strings.NewReader("bo"), pause(func() {
				<-paused
				time.Sleep(2 * paceGrace)
				sent <- struct{}{}
			}), strings.NewReader("dy")))
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if err := errors.Join(err, <-ended); err != nil || string(text) != "dydy" || resp.StatusCode != http.StatusOK {
				t.Errorf("got %s %q, %v", resp.Status, text, err)
			}
		}
	})
}

// pause is an empty reader that waits before it returns io.EOF.
type pause func()

func (wait pause) Read([]byte) (int, error) {
	wait()
	return 0, io.EOF
}
