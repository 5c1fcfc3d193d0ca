package proxy

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
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
	for _, f := range Catalogue(50 * time.Millisecond) {
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
