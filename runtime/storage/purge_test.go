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

// neighbours look like what is swept and are not.
var neighbours = []string{"lithops.job/x", "lithops.jobs", "lithops.jobs-old/a", "lithops.jobsX/a", "lithops.runtimes/ibm_cfX/a", "other", "zz/lithops.jobs/a"}

// jobs makes the keys of some jobs with some calls, as Lithops lays them out.
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
			f.fill(t, append(slices.Clone(neighbours), keys...)...)
			dry := sweep("lithops.jobs/", "lithops.runtimes/ibm_cf/")
			dry.DryRun = true
			got, err := f.Purge(t.Context(), dry)
			if err != nil || got.Seen != len(keys) || got.Deleted != 0 || got.Bytes != int64(len(keys)) {
				t.Fatalf("dry run: %+v, %v", got, err)
			}
			var last atomic.Int64
			wet := sweep("lithops.jobs/", "lithops.runtimes/ibm_cf/", "lithops.jobs/sub/")
			wet.Progress = func(deleted, _ int) { last.Store(int64(deleted)) }
			got, err = f.Purge(t.Context(), wet)
			if err != nil || got.Seen != len(keys) || got.Deleted != len(keys) || got.Failed != nil {
				t.Fatalf("%+v, %v", got, err)
			}
			if len(keys) > 0 && last.Load() != int64(len(keys)) {
				t.Errorf("progress ends at %d", last.Load())
			}
			if left := f.keys(t, ""); !slices.Equal(left, neighbours) {
				t.Errorf("left: %q", left)
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

func TestPurgeRefusesInexactPrefixes(t *testing.T) {
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
		t.Errorf("young ones: %+v, %v", got, err)
	}
	s.OlderThan = time.Now().Add(time.Hour)
	if got, err := f.Purge(t.Context(), s); err != nil || got.Deleted != 9 {
		t.Errorf("old ones: %+v, %v", got, err)
	}
}

// With a clock ahead of the store's nothing is old for certain; without an age the clock does not matter.
func TestPurgeByAgeNeedsTheStoresClock(t *testing.T) {
	f := newFixture(t)
	f.fill(t, jobs(3, 3)...)
	f.between = func(w http.ResponseWriter, r *http.Request, next http.Handler) {
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
	if err := f.Delete(t.Context(), "lithops.jobs/a/1"); err != nil { // leaves a marker
		t.Fatal(err)
	}
	got, err := f.Purge(t.Context(), sweep("lithops.jobs/"))
	if err != nil || got.Seen != 7 || got.Deleted != 7 {
		t.Errorf("%+v, %v", got, err)
	}
	left := 0
	next := f.purgeOf("lithops.").versionPages(span{prefix: "lithops."})
	page, _, err := next(t.Context())
	for _, it := range page {
		if left++; it.key != "lithops.jobs-old/a" {
			t.Errorf("left: %+v", it)
		}
	}
	if err != nil || left != 3 {
		t.Errorf("%d left, %v", left, err)
	}
}

func (f *fixture) purgeOf(prefix string) *purge {
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

// A job that goes on writing does not keep the purge for ever, nor make it fail.
func TestPurgeUnderWriting(t *testing.T) {
	f := newFixture(t)
	f.fill(t, jobs(2, 2)...)
	var n atomic.Int64
	f.between = func(w http.ResponseWriter, r *http.Request, next http.Handler) {
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

// Listing and deleting overlap, and requests are counted: pages, a few to find the spans, one verification.
func TestPurgeRequests(t *testing.T) {
	f := newFixture(t)
	f.fill(t, jobs(32, 100)...)
	f.log = nil
	if _, err := f.Purge(t.Context(), sweep("lithops.jobs/")); err != nil {
		t.Fatal(err)
	}
	// versioning, uploads, folders, 16 spans of one page, 4 batches, verification
	if len(f.log) > 26 {
		t.Errorf("%d requests:\n%s", len(f.log), strings.Join(f.log, "\n"))
	}
}

// BenchmarkPurge empties a bucket in this process: what is measured is our own part.
func BenchmarkPurge(b *testing.B) {
	for b.Loop() {
		s := New(Options{Endpoint: "https://x.test", Bucket: "b", AccessKeyID: "k", SecretAccessKey: "s",
			Transport: transport.New(transport.Options{Base: &bench{}})})
		got, err := s.Purge(b.Context(), sweep("lithops.jobs/"))
		if err != nil || got.Deleted != 100000 {
			b.Fatal(got, err)
		}
	}
}

// bench lists 100 pages of 1000 keys once.
type bench struct{ pages atomic.Int64 }

func (x *bench) RoundTrip(req *http.Request) (*http.Response, error) {
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

// A purge of a bucket that goes on for ever comes to an end, whatever its pages hold.
func TestPurgeIsBounded(t *testing.T) {
	s := New(Options{Endpoint: "https://x.test", Bucket: "b", Transport: &bench{}})
	for name, listed := range map[string]int64{"at the bound": maxListed - 1, "before it": 0} {
		p := &purge{store: s, versioned: func() (bool, error) { return false, nil }}
		p.listed.Store(listed)
		out := make(chan []item, 200)
		err := p.listSpan(t.Context(), span{prefix: "lithops.jobs/"}, out)
		if ended := fault.Is(err, fault.Failed) && strings.Contains(err.Error(), "does not end"); ended != (listed > 0) {
			t.Errorf("%s: %v", name, err)
		}
		s = New(Options{Endpoint: "https://x.test", Bucket: "b", Transport: &bench{}})
	}
}
