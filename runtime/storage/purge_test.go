package storage

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"

	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/transport"
)

// similarKeys resemble the swept keys but must not be deleted.
var similarKeys = []string{"lithops.job/x", "lithops.jobs", "lithops.jobs-old/a", "lithops.jobsX/a", "lithops.runtimes/ibm_cfX/a", "other", "zz/lithops.jobs/a"}

// jobs returns the keys of n jobs with the given number of calls each, in the layout of Lithops.
func jobs(n, calls int) []string {
	var keys []string
	for j := range n {
		for c := range calls {
			keys = append(keys, fmt.Sprintf("lithops.jobs/%06x-%d/%05d/status.json", j*7919, j, c))
		}
	}
	return keys
}

func sweep(prefixes ...string) entity.Sweep { return entity.Sweep{Prefixes: prefixes} }

func TestPurge(t *testing.T) {
	one := make([]string, 1100)
	for i := range one {
		one[i] = fmt.Sprintf("lithops.jobs/one/%05d/out", i)
	}
	flat := make([]string, 1050)
	for i := range flat {
		flat[i] = fmt.Sprintf("lithops.jobs/%d", i)
	}
	for name, keys := range map[string][]string{
		"nothing": nil, "one": {"lithops.jobs/a"}, "flat": flat, "many jobs": jobs(40, 30), "one job": one,
		"mixed":        append(jobs(3, 5), "lithops.jobs/a-b", "lithops.jobs/a/b", "lithops.jobs/a0", "lithops.jobs//x", "lithops.jobs/../y", "lithops.jobs/é +&<>"),
		"more folders": jobs(1050, 1),
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.fill(t, append(slices.Clone(similarKeys), keys...)...)
			dry := sweep("lithops.jobs/", "lithops.runtimes/ibm_cf/")
			dry.DryRun = true
			got, err := f.Purge(t.Context(), dry)
			if err != nil || got.Seen != len(keys) || got.Deleted != 0 || got.Bytes != int64(len(keys)) {
				t.Fatalf("dry run: %+v, %v", got, err)
			}
			var last atomic.Int64
			sw := sweep("lithops.jobs/", "lithops.runtimes/ibm_cf/", "lithops.jobs/sub/")
			sw.Progress = func(deleted, _ int) { last.Store(int64(deleted)) }
			got, err = f.Purge(t.Context(), sw)
			if err != nil || got.Seen != len(keys) || got.Deleted != len(keys) || got.Failed != nil {
				t.Fatalf("%+v, %v", got, err)
			}
			if len(keys) > 0 && last.Load() != int64(len(keys)) {
				t.Errorf("progress ends at %d", last.Load())
			}
			if remaining := f.keys(t, ""); !slices.Equal(remaining, similarKeys) {
				t.Errorf("remaining: %q", remaining)
			}
		})
	}
}

func TestPurgeWithoutBucket(t *testing.T) {
	got, err := newFixture(t).Purge(t.Context(), sweep("lithops.jobs/"))
	if err != nil || got.Seen != 0 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestPurgeRejectsAmbiguousPrefixes(t *testing.T) {
	f := newFixture(t)
	f.fill(t, "a")
	for _, p := range []string{"", "/", "lithops.jobs", "/x/", " "} {
		if _, err := f.Purge(t.Context(), sweep("lithops.jobs/", p)); err == nil {
			t.Errorf("%q was accepted", p)
		}
	}
}

func TestPurgeOlderThan(t *testing.T) {
	f := newFixture(t)
	f.fill(t, jobs(3, 3)...)
	s := sweep("lithops.jobs/")
	s.OlderThan = time.Now().Add(-time.Hour)
	if got, err := f.Purge(t.Context(), s); err != nil || got.Seen != 0 {
		t.Errorf("recent objects: %+v, %v", got, err)
	}
	s.OlderThan = time.Now().Add(time.Hour)
	if got, err := f.Purge(t.Context(), s); err != nil || got.Deleted != 9 {
		t.Errorf("old objects: %+v, %v", got, err)
	}
}

// If the clock of this machine is ahead of the clock of the store, nothing is deleted by age. Purges without an age
// do not depend on the clock.
func TestPurgeByAgeChecksTheClock(t *testing.T) {
	f := newFixture(t)
	f.fill(t, jobs(3, 3)...)
	f.intercept = func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		w.Header().Set("Date", time.Now().Add(-48*time.Hour).UTC().Format(http.TimeFormat))
		next.ServeHTTP(w, r)
	}
	s := sweep("lithops.jobs/")
	s.OlderThan = time.Now().Add(time.Hour)
	if got, err := f.Purge(t.Context(), s); err == nil || got.Seen != 0 || len(f.keys(t, "")) != 9 {
		t.Errorf("by age: %+v, %v", got, err)
	}
	if got, err := f.Purge(t.Context(), sweep("lithops.jobs/")); err != nil || got.Deleted != 9 {
		t.Errorf("all: %+v, %v", got, err)
	}
}

func TestPurgeVersions(t *testing.T) {
	f := newFixture(t)
	f.fill(t)
	if err := f.backend.SetVersioningConfiguration("bucket", gofakes3.VersioningConfiguration{Status: gofakes3.VersioningEnabled}); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		f.fill(t, "lithops.jobs/a/1", "lithops.jobs/b/1", "lithops.jobs-old/a")
	}
	if err := f.Delete(t.Context(), "lithops.jobs/a/1"); err != nil { // leaves a delete marker
		t.Fatal(err)
	}
	got, err := f.Purge(t.Context(), sweep("lithops.jobs/"))
	if err != nil || got.Seen != 7 || got.Deleted != 7 {
		t.Errorf("%+v, %v", got, err)
	}
	remaining := 0
	next := f.newPurge("lithops.").versionPages(span{prefix: "lithops."})
	page, _, err := next(t.Context())
	for _, it := range page {
		if remaining++; it.key != "lithops.jobs-old/a" {
			t.Errorf("remaining: %+v", it)
		}
	}
	if err != nil || remaining != 3 {
		t.Errorf("%d remaining, %v", remaining, err)
	}
}

func (f *fixture) newPurge(prefix string) *purge {
	return &purge{store: f.Store, prefixes: []string{prefix}}
}

func TestPurgeAbortsUploads(t *testing.T) {
	f := newFixture(t)
	f.fill(t, "lithops.jobs/a/1")
	start := func(key string) {
		req, _ := http.NewRequestWithContext(t.Context(), "POST", f.o.Endpoint+"/bucket/"+key+"?uploads", nil)
		resp, err := http.DefaultClient.Do(req)
		if err != nil || resp.StatusCode != 200 {
			t.Fatal(resp, err)
		}
		resp.Body.Close()
	}
	for _, k := range []string{"lithops.jobs/a/2", "lithops.jobs/b", "lithops.jobs-old/x"} {
		start(k)
	}
	http.DefaultClient.CloseIdleConnections()
	dry := sweep("lithops.jobs/")
	dry.DryRun = true
	for i, s := range []entity.Sweep{dry, sweep("lithops.jobs/"), sweep("lithops.jobs-old/"), sweep("lithops.jobs/")} {
		got, err := f.Purge(t.Context(), s)
		if want := []int{2, 2, 1, 0}[i]; err != nil || got.Uploads != want {
			t.Errorf("%d: %+v, %v", i, got, err)
		}
	}
}

// A purge ends without an error although a job continues to write objects.
func TestPurgeWithConcurrentWrites(t *testing.T) {
	f := newFixture(t)
	f.fill(t, jobs(2, 2)...)
	var n atomic.Int64
	f.intercept = func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if isDeletion(r) {
			key := fmt.Sprintf("lithops.jobs/live/%d", n.Add(1))
			_, _ = f.backend.PutObject("bucket", key, nil, strings.NewReader("x"), 1, nil)
		}
		next.ServeHTTP(w, r)
	}
	got, err := f.Purge(t.Context(), sweep("lithops.jobs/"))
	if err != nil || got.Deleted < 4 {
		t.Errorf("%+v, %v", got, err)
	}
}

// A purge sends few requests: the pages, a few requests to find the spans, and one listing for verification.
func TestPurgeRequests(t *testing.T) {
	f := newFixture(t)
	f.fill(t, jobs(32, 100)...)
	f.log = nil
	if _, err := f.Purge(t.Context(), sweep("lithops.jobs/")); err != nil {
		t.Fatal(err)
	}
	// versioning, uploads, common prefixes, 16 spans of one page, 4 batches, verification
	if len(f.log) > 26 {
		t.Errorf("%d requests:\n%s", len(f.log), strings.Join(f.log, "\n"))
	}
}

// BenchmarkPurge purges a bucket that is simulated in this process, so it measures only the work of this package.
func BenchmarkPurge(b *testing.B) {
	for b.Loop() {
		s := New(Options{Endpoint: "https://x.test", Bucket: "b", AccessKeyID: "k", SecretAccessKey: "s",
			Transport: transport.New(transport.Options{Base: &benchStore{}})})
		got, err := s.Purge(b.Context(), sweep("lithops.jobs/"))
		if err != nil || got.Deleted != 100000 {
			b.Fatal(got, err)
		}
	}
}

// benchStore lists 100 pages of 1000 keys once.
type benchStore struct{ pages atomic.Int64 }

func (x *benchStore) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		_, _ = io.Copy(io.Discard, req.Body)
		req.Body.Close()
	}
	q := req.URL.Query()
	var s strings.Builder
	if q.Has("list-type") && !q.Has("delimiter") {
		if n := x.pages.Add(1); n <= 100 {
			s.WriteString("<ListBucketResult>")
			for i := range 1000 {
				fmt.Fprintf(&s, "<Contents><Key>lithops.jobs/%05d/%05d</Key><Size>1</Size><LastModified>2026-01-01T00:00:00Z</LastModified></Contents>", n, i)
			}
			fmt.Fprintf(&s, "<IsTruncated>%t</IsTruncated><NextContinuationToken>%d</NextContinuationToken></ListBucketResult>", n < 100, n)
		}
	}
	if s.Len() == 0 {
		s.WriteString("<Result><Name>b</Name><Bucket>b</Bucket></Result>")
	}
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(s.String())), Request: req}, nil
}

// A purge stops if the bucket has more entries than the limit, regardless of the content of the pages.
func TestPurgeIsBounded(t *testing.T) {
	s := New(Options{Endpoint: "https://x.test", Bucket: "b", Transport: &benchStore{}})
	for name, listed := range map[string]int64{"at the limit": maxListed - 1, "below the limit": 0} {
		p := &purge{store: s, versioned: func() (bool, error) { return false, nil }}
		p.listed.Store(listed)
		out := make(chan []item, 200)
		err := p.listSpan(t.Context(), span{prefix: "lithops.jobs/"}, out)
		if stopped := fault.Is(err, fault.Failed) && strings.Contains(err.Error(), "does not end"); stopped != (listed > 0) {
			t.Errorf("%s: %v", name, err)
		}
		s = New(Options{Endpoint: "https://x.test", Bucket: "b", Transport: &benchStore{}})
	}
}
