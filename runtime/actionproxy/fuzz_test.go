package actionproxy_test

import (
	"io"
	"net"
	"net/http"
	"os/exec"
	"testing"
	"time"
)

// FuzzRequest sends any data to a proxy, which must continue to serve other clients. Bodies for /run reach an action
// that returns its arguments, and bodies for /init reach a proxy that is already initialized.
func FuzzRequest(f *testing.F) {
	for _, seed := range []string{
		"POST /run HTTP/1.1\r\nContent-Length: 12\r\n\r\n{\"value\": {}}", "POST /init HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}",
		"GET / HTTP/1.0\r\n\r\n", "POST /run HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 1\r\n\r\n[[[[[", "\r\n\r\n", "POST  HTTP/1.1\r\n:\r\n\r\n",
		"POST /run HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 40\r\n\r\n{\"value\": {\"a\": 1e999}, \"deadline\": \"9\"}",
	} {
		f.Add([]byte(seed))
	}
	python, err := exec.LookPath("python3")
	if err != nil {
		f.Fatal("no Python 3 found: ", err)
	}
	p := startWith(f, python, nil, 0) // shared by all inputs of this process
	p.initSource("def main(a):\n return a")
	f.Fuzz(func(t *testing.T, data []byte) {
		conn, err := net.Dial("tcp", p.base[len("http://"):])
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(time.Minute))
		conn.Write(data)
		conn.(*net.TCPConn).CloseWrite()
		io.Copy(io.Discard, conn)
		c := http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true}}
		resp, err := c.Get(p.base + "/")
		if err != nil {
			t.Fatalf("no response after %q: %v\n%s", data, err, p.read(p.err))
		}
		resp.Body.Close()
	})
}
