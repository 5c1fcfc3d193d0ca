package storage

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"go.uber.org/goleak"

	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/transport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fixture is a Store with a server in this process. Tests may set intercept to handle or change requests.
type fixture struct {
	*Store
	backend   *s3mem.Backend
	intercept func(w http.ResponseWriter, r *http.Request, next http.Handler)
	mu        sync.Mutex
	log       []string
}

func newFixture(t *testing.T, change ...func(*Options)) *fixture {
	t.Helper()
	f := &fixture{backend: s3mem.New()}
	inner := gofakes3.New(f.backend, gofakes3.WithLogger(gofakes3.DiscardLog())).Server()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		f.log = append(f.log, r.Method+" "+r.RequestURI)
		f.mu.Unlock()
		if f.intercept != nil {
			f.intercept(w, r, inner)
			return
		}
		inner.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	base := &http.Transport{MaxIdleConnsPerHost: 64}
	t.Cleanup(base.CloseIdleConnections)
	o := Options{Endpoint: srv.URL, Bucket: "bucket", AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "secret",
		Transport: transport.New(transport.Options{Base: base, Deadline: 3 * time.Second})}
	for _, c := range change {
		c(&o)
	}
	f.Store = New(o)
	return f
}

func (f *fixture) fill(t *testing.T, keys ...string) {
	t.Helper()
	if err := f.CreateBucket(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, k := range keys {
		if _, err := f.backend.PutObject("bucket", k, nil, strings.NewReader("x"), 1, nil); err != nil {
			t.Fatal(err)
		}
	}
}

func (f *fixture) keys(t *testing.T, prefix string) []string {
	t.Helper()
	var keys []string
	for o, err := range f.List(t.Context(), prefix) {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, o.Key)
	}
	return keys
}

func TestObjects(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	if exists, err := f.BucketExists(ctx); exists || err != nil {
		t.Errorf("before: %v, %v", exists, err)
	}
	if _, err := f.Get(ctx, "k"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("get without bucket: %v", err)
	}
	if err := f.Put(ctx, "k", nil); fault.KindOf(err) != fault.NotFound {
		t.Errorf("put without bucket: %v", err)
	}
	if err := f.Delete(ctx, "k"); err != nil {
		t.Errorf("delete without bucket: %v", err)
	}
	if keys := f.keys(t, ""); keys != nil {
		t.Errorf("list without bucket: %v", keys)
	}
	for range 2 { // the second time the bucket exists
		if err := f.CreateBucket(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if exists, err := f.BucketExists(ctx); !exists || err != nil {
		t.Errorf("after: %v, %v", exists, err)
	}
	for _, key := range []string{"a", "lithops.runtimes/ibm_cf/3.7.0/us-south/ns/docker.io_u_i_256MB.meta.json", "a b+c&d=%2F/é"} {
		want := bytes.Repeat([]byte(key), 100)
		if err := f.Put(ctx, key, want); err != nil {
			t.Fatalf("%s: %v", key, err)
		}
		if got, err := f.Get(ctx, key); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %q, %v", key, got, err)
		}
		if keys := f.keys(t, key); !slices.Equal(keys, []string{key}) {
			t.Errorf("%s: listed as %q", key, keys)
		}
		for range 2 {
			if err := f.Delete(ctx, key); err != nil {
				t.Errorf("%s: %v", key, err)
			}
		}
		if _, err := f.Get(ctx, key); fault.KindOf(err) != fault.NotFound {
			t.Errorf("%s still exists: %v", key, err)
		}
	}
}

func TestListReadsEveryPage(t *testing.T) {
	f := newFixture(t)
	var want []string
	for i := range 2500 {
		want = append(want, fmt.Sprintf("p/%05d", i))
	}
	f.fill(t, append(want, "q", "o")...)
	if got := f.keys(t, "p/"); !slices.Equal(got, want) {
		t.Errorf("%d keys of %d", len(got), len(want))
	}
}

func TestErrorResponses(t *testing.T) {
	cases := []struct {
		name   string
		status int
		body   string
		kind   fault.Kind
		want   string
	}{
		{"keys", 403, "<Error><Code>InvalidAccessKeyId</Code><Message>No such key\x07 here.</Message></Error>", fault.Denied, "denied access"},
		{"clock", 403, "<Error><Code>RequestTimeTooSkewed</Code><Message>x</Message></Error>", fault.Denied, "clock"},
		{"bucket", 404, "<Error><Code>NoSuchBucket</Code></Error>", fault.NotFound, "Bucket bucket does not exist"},
		{"other API", 404, "404 page not found", fault.Unavailable, "returned 404"},
		{"404 in other words", 404, "<Error><Code>Gone</Code><Message>x</Message></Error>", fault.Unavailable, "returned 404"},
		{"region", 301, "<Error><Code>PermanentRedirect</Code></Error>", fault.Invalid, "another region"},
		{"slow down", 503, "<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>", fault.Unavailable, "Reduce your request rate."},
		{"throttled", 429, "<Error><Code>TooManyRequests</Code></Error>", fault.Throttled, "returned 429"},
		{"not XML", 200, "surely not", fault.Unavailable, "cannot be read"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t, func(o *Options) {
				o.Transport = transport.New(transport.Options{Deadline: time.Millisecond, Base: fixedResponse{c.status, c.body}})
			})
			var err error
			for _, err = range f.List(t.Context(), "p/") {
			}
			if fault.KindOf(err) != c.kind && c.kind != fault.NotFound || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("list: %v (%s)", err, fault.KindOf(err))
			}
			if c.status == 200 {
				return
			}
			err = f.Put(t.Context(), "k", []byte("x"))
			if fault.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.want) {
				t.Errorf("put: %v (%s)", err, fault.KindOf(err))
			}
			if strings.ContainsAny(fmt.Sprint(err), "\x07") || strings.Contains(fmt.Sprint(err), "secret") {
				t.Errorf("error: %q", err)
			}
		})
	}
}

type fixedResponse struct {
	status int
	body   string
}

func (a fixedResponse) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		req.Body.Close()
	}
	return &http.Response{StatusCode: a.status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(a.body)), Request: req}, nil
}

func TestCreateBucketOfAnotherAccount(t *testing.T) {
	f := newFixture(t)
	f.intercept = func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		if r.Method == "HEAD" {
			w.WriteHeader(403)
			return
		}
		w.WriteHeader(409)
		_, _ = io.WriteString(w, "<Error><Code>BucketAlreadyExists</Code></Error>")
	}
	if err := f.CreateBucket(t.Context()); fault.KindOf(err) != fault.Conflict {
		t.Errorf("got %v", err)
	}
}

func TestRequestAuthentication(t *testing.T) {
	token := func(context.Context, bool) (string, error) { return "tok", nil }
	for _, c := range []struct {
		name   string
		change func(*Options)
		want   func(h http.Header) bool
	}{
		{"HMAC", func(*Options) {}, func(h http.Header) bool {
			return strings.HasPrefix(h.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/") && h.Get("Ibm-Service-Instance-Id") == ""
		}},
		{"session token", func(o *Options) { o.SessionToken = "st" }, func(h http.Header) bool { return h.Get("X-Amz-Security-Token") == "st" }},
		{"IAM", func(o *Options) {
			o.AccessKeyID, o.SecretAccessKey, o.ServiceInstanceID = "", "", "crn:1"
			o.Transport = transport.New(transport.Options{Origin: o.Endpoint, Auth: transport.Auth{Token: token}, Base: &http.Transport{DisableKeepAlives: true}})
		}, func(h http.Header) bool {
			return h.Get("Authorization") == "Bearer tok" && h.Get("Ibm-Service-Instance-Id") == "crn:1"
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("AWS_ACCESS_KEY_ID", "of-another-program")
			t.Setenv("IBM_API_KEY_ID", "of-another-program")
			t.Setenv("TRUSTED_PROFILE_ID", "of-another-program")
			t.Setenv("AWS_CA_BUNDLE", "/no/such/file")
			f := newFixture(t, c.change)
			var got http.Header
			f.intercept = func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				got = r.Header
				next.ServeHTTP(w, r)
			}
			if err := f.CreateBucket(t.Context()); err != nil || !c.want(got) {
				t.Errorf("%v, %v", got, err)
			}
		})
	}
}

func TestInvalidOptions(t *testing.T) {
	rt := transport.New(transport.Options{Base: fixedResponse{200, ""}})
	for _, o := range []Options{
		{Endpoint: "", Bucket: "b", Transport: rt}, {Endpoint: "https://u:p@h", Bucket: "b", Transport: rt},
		{Endpoint: "ftp://h", Bucket: "b", Transport: rt}, {Endpoint: "https://h", Transport: rt},
		{Endpoint: "http://minio.lan:9000", Bucket: "b", Transport: rt},
	} {
		if _, err := New(o).Get(t.Context(), "k"); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", o.Endpoint, err)
		}
	}
}

func TestGetObjectThatIsTooLarge(t *testing.T) {
	f := newFixture(t, func(o *Options) {
		o.Transport = transport.New(transport.Options{Base: fixedResponse{200, strings.Repeat("x", maxObject+1)}})
	})
	if _, err := f.Get(t.Context(), "k"); fault.KindOf(err) != fault.TooLarge {
		t.Errorf("got %v", err)
	}
}
