// Package storage tests runtime/storage against versitygw, a real S3 server. If versitygw cannot be built or started,
// the tests fail; they are never skipped.
//
//	go test ./test/storage/
//	go test ./test/storage/ -run '^$' -bench Purge -benchtime 3x
package storage

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/storage"
	"fn-runtime/runtime/transport"
	"fn-runtime/test/storage/gateway"
)

func start(t testing.TB) *gateway.Gateway {
	t.Helper()
	cache := os.Getenv("FN_RUNTIME_TEST_CACHE")
	if cache == "" {
		cache = filepath.Join("..", "..", ".cache")
	}
	bin, err := gateway.Install(t.Context(), cache)
	if err != nil {
		t.Fatal(err)
	}
	g, err := gateway.Start(t.Context(), bin, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Stop)
	return g
}

// delayed adds a delay to each request.
type delayed struct {
	next  http.RoundTripper
	delay time.Duration
}

func (d delayed) RoundTrip(req *http.Request) (*http.Response, error) {
	timer := time.NewTimer(d.delay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
	return d.next.RoundTrip(req)
}

func open(g *gateway.Gateway, delay time.Duration) *storage.Store {
	return storage.New(storage.Options{Endpoint: g.URL, Bucket: "bucket", AccessKeyID: gateway.AccessKey, SecretAccessKey: gateway.SecretKey,
		Transport: transport.New(transport.Options{Base: delayed{&http.Transport{MaxIdleConnsPerHost: 64}, delay}})})
}

func fill(t testing.TB, s *storage.Store, keys []string) {
	t.Helper()
	if err := s.CreateBucket(t.Context()); err != nil {
		t.Fatal(err)
	}
	var g errgroup.Group
	g.SetLimit(16)
	for _, k := range keys {
		g.Go(func() error { return s.Put(t.Context(), k, []byte("x")) })
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
}

// writeObjects writes objects into the server's directory directly, which is much faster.
func writeObjects(t testing.TB, g *gateway.Gateway, s *storage.Store, keys []string) {
	t.Helper()
	if err := s.CreateBucket(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, k := range keys {
		path := filepath.Join(g.Root, "bucket", k)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func keys(t testing.TB, s *storage.Store, prefix string) []string {
	t.Helper()
	var out []string
	for o, err := range s.List(t.Context(), prefix) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, o.Key)
	}
	return out
}

// jobs returns the keys of n jobs with calls, two objects per call, in the layout of Lithops.
func jobs(n, calls int) []string {
	var out []string
	for j := range n {
		for c := range calls {
			call := fmt.Sprintf("lithops.jobs/%06x-%d-M000/%05d/", j*7919, j, c)
			out = append(out, call+"output.pickle", call+"status.json")
		}
	}
	return out
}

var neighbors = []string{"lithops.job/x", "lithops.jobs-old/a", "lithops.jobsX/a", "other", "zz/lithops.jobs/a"}

func TestObjects(t *testing.T) {
	s := open(start(t), 0)
	ctx := t.Context()
	if there, err := s.BucketExists(ctx); there || err != nil {
		t.Errorf("before: %v, %v", there, err)
	}
	if got := keys(t, s, ""); got != nil {
		t.Errorf("without bucket: %v", got)
	}
	for range 2 {
		if err := s.CreateBucket(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if there, err := s.BucketExists(ctx); !there || err != nil {
		t.Errorf("after: %v, %v", there, err)
	}
	if _, err := s.Get(ctx, "missing"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("missing: %v", err)
	}
	for _, key := range []string{"a", "lithops.runtimes/ibm_cf/3.7.0/us-south/ns/u_i_256MB.meta.json", "a b+c&d=%2F/é"} {
		want := bytes.Repeat([]byte(key), 1000)
		if err := s.Put(ctx, key, want); err != nil {
			t.Fatalf("%s: %v", key, err)
		}
		if got, err := s.Get(ctx, key); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %v", key, err)
		}
		for range 2 {
			if err := s.Delete(ctx, key); err != nil {
				t.Errorf("%s: %v", key, err)
			}
		}
	}
	if got := keys(t, s, ""); got != nil {
		t.Errorf("left: %q", got)
	}
	wrong := storage.New(storage.Options{Endpoint: start(t).URL, Bucket: "bucket", AccessKeyID: gateway.AccessKey, SecretAccessKey: "wrong",
		Transport: transport.New(transport.Options{})})
	if err := wrong.Put(ctx, "a", nil); fault.KindOf(err) != fault.Denied {
		t.Errorf("wrong key: %v", err)
	}
}

func TestPurge(t *testing.T) {
	g := start(t)
	s := open(g, 0)
	for _, set := range [][]string{jobs(30, 40), jobs(1, 1100), {"lithops.jobs/a-b", "lithops.jobs/a/b", "lithops.jobs/a0", "lithops.jobs/é +&"}} {
		fill(t, s, neighbors)
		if len(set) > 10 {
			writeObjects(t, g, s, set)
		} else {
			fill(t, s, set)
		}
		got, err := s.Purge(t.Context(), entity.Sweep{Prefixes: []string{"lithops.jobs/"}})
		if err != nil || got.Seen != len(set) || got.Deleted != len(set) {
			t.Errorf("%d: %+v, %v", len(set), got, err)
		}
		if left := keys(t, s, ""); !slices.Equal(left, neighbors) {
			t.Errorf("left: %q", left)
		}
	}
}

// BenchmarkPurge deletes 20,000 objects with a delay of 50 ms for each request. On the machine of the developers, s5cmd
// took 2.3 s. For a comparison, run both programs on the same machine.
func BenchmarkPurge(b *testing.B) {
	g := start(b)
	direct, slow := open(g, 0), open(g, 50*time.Millisecond)
	for _, c := range []struct {
		name string
		keys []string
	}{{"jobs=100", jobs(100, 100)}, {"jobs=1", jobs(1, 10000)}} {
		b.Run(c.name, func(b *testing.B) {
			for range b.N {
				b.StopTimer()
				writeObjects(b, g, direct, c.keys)
				b.StartTimer()
				got, err := slow.Purge(b.Context(), entity.Sweep{Prefixes: []string{"lithops.jobs/"}})
				if err != nil || got.Deleted != len(c.keys) {
					b.Fatal(got, err)
				}
			}
		})
	}
}
