package proxy

import (
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestFaultsDoWhatTheirNamesSay(t *testing.T) {
	served := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		served++
		_, _ = io.WriteString(w, strings.Repeat("x", 100))
	}))
	defer server.Close()
	p, err := New(server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	get := func() (code int, body string, err error) {
		resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Get(p.URL + "/a?b=c")
		if err != nil {
			return 0, "", err
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		return resp.StatusCode, string(b), err
	}
	if code, body, err := get(); err != nil || code != 200 || len(body) != 100 || served != 1 {
		t.Fatalf("undisturbed: %d %d bytes, %v, served %d", code, len(body), err, served)
	}
	if rec := p.Record(); len(rec) != 1 || rec[0].Path != "/a?b=c" || rec[0].Status != 200 {
		t.Fatalf("record: %+v", rec)
	}
	processed := map[string]bool{"reset after": true, "slow body": true, "truncated body": true}
	fails := map[string]bool{"reset before": true, "reset after": true, "hang": true, "truncated body": true}
	for _, f := range Catalog(50 * time.Millisecond) {
		if f.Fault == nil {
			continue // TestRefused
		}
		served = 0
		p.Reset()
		p.Inject(func(r Request) Fault {
			if r.N == 1 {
				return f.Fault
			}
			return nil
		})
		_, _, err := get()
		if (err != nil) != fails[f.Name] {
			t.Errorf("%s: error %v", f.Name, err)
		}
		if (served > 0) != processed[f.Name] {
			t.Errorf("%s: the server saw %d requests", f.Name, served)
		}
	}
}

// Connections are refused by the operating system from the nth request on, regardless of existing connections, and over
// TLS as well. Earlier requests are served, and afterwards the proxy serves everything again.
func TestRefused(t *testing.T) {
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "ok") }))
	defer plain.Close()
	secure := httptest.NewTLSServer(plain.Config.Handler)
	defer secure.Close()
	for _, server := range []*httptest.Server{plain, secure} {
		var cert *tls.Certificate
		if server.TLS != nil {
			cert = &server.TLS.Certificates[0]
		}
		p, err := New(server.URL, cert)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}}
		get := func() error {
			resp, err := client.Post(p.URL, "", strings.NewReader("x"))
			if err == nil {
				_, _ = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			}
			return err
		}
		if err := get(); err != nil { // leaves a connection open
			t.Fatal(err)
		}
		for n := 1; n <= 3; n++ {
			client.CloseIdleConnections()
			if err := p.RefuseFrom(n, 0); err != nil {
				t.Fatal(err)
			}
			for i := 1; i <= 4; i++ {
				if err := get(); errors.Is(err, syscall.ECONNREFUSED) != (i >= n) {
					t.Errorf("%s, refused from %d: request %d gives %v", p.URL, n, i, err)
				}
			}
			if err := p.Accept(); err != nil {
				t.Fatal(err)
			}
			if err := get(); err != nil {
				t.Error(err)
			}
		}
	}
}
