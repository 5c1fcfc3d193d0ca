package e2e

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"fn-runtime/test/harness"
)

// objects is the number of objects that a map reads.
const objects = 20

// readObjects runs maps over objects. The worker of Lithops 3.8 forks while it has an open connection to the store. If
// both processes use this connection, one to read the objects of the functions and the other to report its status, they
// read each other's responses. In such a run, 4 of 20 objects were empty or truncated.
func readObjects(t *testing.T, s *harness.Stage, python, image string, maps, each, large int) {
	t.Helper()
	args := []string{script(t, "objects.py"), image}
	for _, n := range []int{objects, maps, each, large} {
		args = append(args, strconv.Itoa(n))
	}
	r := s.Run(5*time.Minute, python, args...)
	var got struct {
		Reads, Results int
		Slowest        float64 // duration of the slowest map in seconds
		Wrong          []string
	}
	decode(t, result(t, r), &got)
	if len(got.Wrong) > 0 {
		t.Errorf("read wrongly: %v", got.Wrong)
	}
	if want := maps * objects * each; got.Reads != want {
		t.Errorf("%d objects were read, not %d", got.Reads, want)
	}
	if want := large * objects; got.Results != want {
		t.Errorf("%d large results came back, not %d", got.Results, want)
	}
	t.Logf("%d reads and %d large results in %s, the slowest map in %.1f s", got.Reads, got.Results, r.Took.Round(time.Second), got.Slowest)
}

// startProcesses returns a stage whose endpoint runs processes, with the default runtime deployed.
func startProcesses(t *testing.T) (s *harness.Stage, python string) {
	t.Helper()
	c := clients[0]
	venv := harness.Venv(t, c.python, append([]string{c.lithops}, c.more...)...)
	python = filepath.Join(venv, "bin", "python")
	s = harness.NewStage(t)
	s.Env = append(s.Env, "VIRTUAL_ENV="+venv)
	s.FnRuntime("local", "start", "--python", python)
	e := s.Endpoint()
	write(t, filepath.Join(s.Home, ".lithops", "config"), c.config(t, e))
	s.Env = append(s.Env, "REQUESTS_CA_BUNDLE="+e.CABundle)
	s.FnRuntime("deploy", "default")
	return s, python
}

func TestObjectsAreReadWhole(t *testing.T) {
	s, python := startProcesses(t)
	readObjects(t, s, python, "", 6, 3, 1)
}

// TestObjectsOfAnotherStoreAreReadWhole uses a store that keeps connections open, as MinIO does.
func TestObjectsOfAnotherStoreAreReadWhole(t *testing.T) {
	s, python := startProcesses(t)
	e := s.Endpoint()
	target, err := url.Parse(e.S3Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	store := httptest.NewServer(&httputil.ReverseProxy{
		// The connection between the store and this test is local.
		Transport:      &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}},
		Rewrite:        func(r *httputil.ProxyRequest) { r.SetURL(target); r.Out.Host = r.In.Host },
		ModifyResponse: func(r *http.Response) error { r.Header.Del("Connection"); r.Close = false; return nil },
	})
	t.Cleanup(store.Close)
	e.S3Endpoint = store.URL
	write(t, filepath.Join(s.Home, ".lithops", "config"), clients[0].config(t, e))
	readObjects(t, s, python, "", 5, 1, 1)
}
