package connect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"fn-runtime/i18n"
	"fn-runtime/runtime"
	"fn-runtime/runtime/check"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/site"
	"fn-runtime/runtime/transport"
)

// newOptions returns options with a home directory that contains a Lithops installation and, if config is not empty,
// a configuration.
func newOptions(t *testing.T, version, config string) Options {
	t.Helper()
	dir := t.TempDir()
	venv := filepath.Join(dir, "venv")
	pkgDir := filepath.Join(venv, "lib", "python3.11", "site-packages", "lithops")
	write := func(path, text string) {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(filepath.Join(pkgDir, "version.py"), "__version__ = '"+version+"'\n")
	write(filepath.Join(pkgDir, "__init__.py"), "")
	write(filepath.Join(pkgDir, "worker", "__init__.py"), "")
	write(filepath.Join(venv, "pyvenv.cfg"), "home = /usr/bin\nversion = 3.11.7\n")
	write(filepath.Join(venv, "bin", "python"), "")
	if err := os.Chmod(filepath.Join(venv, "bin", "python"), 0o755); err != nil {
		t.Fatal(err)
	}
	if config != "" {
		write(filepath.Join(dir, ".lithops", "config"), config)
	}
	return Options{
		NeedInstall: true, NeedStore: true,
		Host: Host{Home: dir, WorkDir: dir, StateDir: filepath.Join(dir, "state"), Version: "1.0.0", Getenv: func(k string) string {
			if k == "VIRTUAL_ENV" {
				return venv
			}
			return ""
		}},
	}
}

const minio = "minio:\n  endpoint: http://127.0.0.1:9\n  access_key_id: AKIAAAAA\n  secret_access_key: s3cret\n  storage_bucket: b\n"

func plainOpenWhisk(endpoint string) string {
	return "lithops:\n  backend: openwhisk\n  storage: minio\n" + minio + "openwhisk:\n  endpoint: " + endpoint + "\n  namespace: guest\n  api_key: abcdefgh:key\n"
}

func ibm(endpoint, more string) string {
	text := "lithops:\n  backend: ibm_cf\n  storage: minio\n" + minio + "ibm_cf:\n  namespace: ns\n" + more
	if endpoint != "" {
		text += "  endpoint: " + endpoint + "\n"
	}
	return text
}

func session(private bool) *Session {
	return &Session{Region: "eu-de", ResourceGroupID: "group", PrivateEndpoint: private, IAMEndpoint: "https://iam.cloud.ibm.com",
		Token: func(context.Context, bool) (string, error) { return "session-token", nil }}
}

func TestOpenSelectsTheTarget(t *testing.T) {
	validToken := fmt.Sprintf("  token: tok\n  token_expiry_time: %d\n", time.Now().Add(48*time.Hour).Unix())
	for name, c := range map[string]struct {
		version, config string
		change          func(*Options)
		kind            fault.Kind // "" for success
		want            string     // in the error
		check           func(t *testing.T, s *runtime.Service)
	}{
		"no login and no configuration": {"3.7.0", "", nil, fault.NotLoggedIn, "ibmcloud login|--config|-b local", nil},
		"openwhisk": {"3.7.0", plainOpenWhisk("https://ow.example"), nil, "", "", func(t *testing.T, s *runtime.Service) {
			if s.Contract.Package() != "lithops_abcde" || s.Target.Endpoint != "https://ow.example" || s.Target.Bucket != "b" || s.Compute.Scope().ID != "guest" {
				t.Errorf("%+v %+v", s.Target, s.Contract)
			}
		}},
		"flags win": {"3.7.0", plainOpenWhisk("https://ow.example"), func(o *Options) { o.UserKey, o.Bucket, o.Namespace = "mine", "other", "space" }, "", "",
			func(t *testing.T, s *runtime.Service) {
				if s.Contract.Package() != "lithops_mine" || s.Target.Bucket != "other" || s.Target.Namespace != "space" || !strings.Contains(s.Target.UserKeyFrom.String(), "--user-key") {
					t.Errorf("got %+v in package %s, want bucket other and namespace space in lithops_mine, by --user-key", s.Target, s.Contract.Package())
				}
			}},
		"http is https": {"3.7.0", plainOpenWhisk("http://ow.example"), nil, "", "", func(t *testing.T, s *runtime.Service) {
			if s.Target.Endpoint != "https://ow.example" || s.ClientProblem("session") != nil {
				t.Errorf("endpoint %s, problem %v; the client uses https://ow.example", s.Target.Endpoint, s.ClientProblem("session"))
			}
		}},
		"slash":         {"3.7.0", plainOpenWhisk("https://ow.example/"), nil, fault.Invalid, "ends in '/'|without a trailing slash", nil},
		"path":          {"3.7.0", plainOpenWhisk("https://ow.example/api/v1"), nil, fault.Invalid, "ends in '/api/v1'|without a trailing slash", nil},
		"region":        {"3.7.0", plainOpenWhisk("https://ow.example"), func(o *Options) { o.Region = "us-south" }, fault.Usage, "The backend openwhisk does not support regions|-b", nil},
		"other backend": {"3.7.0", "lithops:\n  backend: aws_lambda\n", nil, fault.Invalid, "aws_lambda|-b", nil},
		"masked":        {"3.7.0", strings.ReplaceAll(plainOpenWhisk("https://ow.example"), "abcdefgh:key", "'********'"), nil, fault.Invalid, "masked|lithops-config -o", nil},
		"broken file":   {"3.7.0", "lithops: [", nil, fault.Invalid, "malformed", nil},
		"no bucket":     {"3.7.0", strings.Replace(plainOpenWhisk("https://ow.example"), "minio:\n  endpoint: http://127.0.0.1:9\n  access_key_id: AKIAAAAA\n  secret_access_key: s3cret\n  storage_bucket: b\n", "", 1), nil, fault.Invalid, "", nil},
		"bad user key":  {"3.7.0", plainOpenWhisk("https://ow.example"), func(o *Options) { o.UserKey = "a/b" }, fault.Usage, "--user-key|API key", nil},
		"ibm with token": {"3.7.0", ibm("https://localhost:18443", validToken) + "ibm:\n  iam_api_key: Ab_x-0123\n", nil, "", "", func(t *testing.T, s *runtime.Service) {
			if s.Contract.Package() != "lithops_ab_x" || s.Target.Region != "localhost:18443" || s.Compute.Scope().ID != "" {
				t.Errorf("%+v %+v", s.Target, s.Contract)
			}
		}},
		"old ibm with CF key": {"2.6.0", ibm("https://localhost:18443", "  api_key: uuid:QRSTuv\n"), nil, "", "", func(t *testing.T, s *runtime.Service) {
			if s.Contract.Package() != "lithops_v2.6.0_QRST" || s.Compute.Scope().ID != "ns" {
				t.Errorf("%+v %+v", s.Target, s.Contract)
			}
		}},
		"ibm without login": {"3.7.0", ibm("https://eu-gb.functions.cloud.ibm.com", ""), nil, fault.NotLoggedIn, "Not logged in|ibmcloud login", nil},
		"session to a foreign host": {"3.7.0", ibm("https://evil.example", ""), func(o *Options) { o.Host.Session, o.UserKey = session(false), "abcd" },
			fault.Denied, "does not belong to IBM Cloud Functions", nil},
		"session region": {"3.7.0", ibm("", ""), func(o *Options) { o.Host.Session, o.UserKey = session(false), "abcd" }, "", "", func(t *testing.T, s *runtime.Service) {
			if s.Target.Endpoint != "https://eu-de.functions.cloud.ibm.com" || s.Contract.Region != "eu-de" {
				t.Errorf("got %+v, want the public endpoint of eu-de", s.Target)
			}
		}},
		"private": {"3.7.0", ibm("", ""), func(o *Options) { o.Host.Session, o.UserKey = session(true), "abcd" }, "", "", func(t *testing.T, s *runtime.Service) {
			if s.Target.Endpoint != "https://private.eu-de.functions.cloud.ibm.com" || s.Contract.Region != "eu-de" {
				t.Errorf("got %+v, want the private endpoint of eu-de", s.Target)
			}
		}},
		"private refuses others": {"3.7.0", plainOpenWhisk("https://ow.example"), func(o *Options) { o.Host.Session = session(true) }, fault.Invalid, "private endpoints", nil},
		"unknown region":         {"3.7.0", ibm("", ""), func(o *Options) { o.Host.Session, o.UserKey, o.Region = session(false), "abcd", "mars" }, fault.Invalid, "mars|us-south", nil},
		"no region": {"3.7.0", ibm("", ""), func(o *Options) { o.Host.Session = session(false); o.Host.Session.Region = "" },
			fault.Invalid, "No region|--region", nil},
		"logged out before anything else": {"3.7.0", "lithops:\n  backend: ibm_cf\n", nil, fault.NotLoggedIn, "Not logged in|ibmcloud login", nil},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOptions(t, c.version, c.config)
			if c.change != nil {
				c.change(&o)
			}
			s, err := Open(t.Context(), o)
			if fault.KindOf(err) != c.kind {
				t.Fatalf("error %v (%s), want %s", err, fault.KindOf(err), c.kind)
			}
			if err == nil {
				c.check(t, s)
				return
			}
			var f *fault.Fault
			if !errors.As(err, &f) || f.Recovery.IsZero() {
				t.Fatalf("no remedy: %v", err)
			}
			for w := range strings.SplitSeq(c.want, "|") {
				if !strings.Contains(f.Error()+f.Recovery.String(), w) {
					t.Errorf("%q is not in %q %q", w, f.Error(), f.Recovery)
				}
			}
			for _, secret := range []string{"s3cret", "abcdefgh:key", "session-token"} {
				if strings.Contains(fmt.Sprintf("%v %+v", err, f), secret) {
					t.Errorf("the error contains %s", secret)
				}
			}
		})
	}
}

func TestUserKeyOfTheOnlyExistingPackage(t *testing.T) {
	known := []map[string]string{{"id": "guid-1", "name": "ns"}}
	for name, c := range map[string]struct {
		packages []string
		key      string
	}{
		"one":     {[]string{"lithops_q_w-", "lithops_v2.6.0_q_w-", "other"}, "q_w-"},
		"none":    {[]string{"other"}, ""},
		"several": {[]string{"lithops_abcd", "lithops_wxyz"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			svc := &fakeFunctions{namespaces: known}
			for _, p := range c.packages {
				svc.packages = append(svc.packages, map[string]any{"name": p, "binding": false})
			}
			s, err := Open(t.Context(), serviceOptions(t, svc, "3.7.0", ""))
			if c.key == "" {
				var f *fault.Fault
				if !errors.As(err, &f) || !strings.Contains(f.Recovery.String(), "--user-key") {
					t.Errorf("error %v", err)
				}
				return
			}
			if err != nil || s.Contract.UserKey != c.key || !strings.Contains(s.Target.UserKeyFrom.String(), "package") {
				t.Errorf("%v %+v", err, s)
			}
		})
	}
}

func TestTolerantAlwaysReturnsAService(t *testing.T) {
	for name, config := range map[string]string{"nothing": "", "broken": "lithops: [", "no region": ibm("", ""), "no bucket": "lithops:\n  backend: openwhisk\n"} {
		t.Run(name, func(t *testing.T) {
			o := newOptions(t, "3.7.0", config)
			o.Tolerant = true
			o.Host.Retries = transport.NewBudget(time.Millisecond) // the services are unreachable; do not retry
			s, err := Open(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			checks, err := s.Doctor(t.Context(), false)
			if err != nil {
				t.Fatal(err)
			}
			failed := 0
			for _, c := range checks {
				if c.Status == check.Failed {
					failed++
				}
			}
			if failed == 0 {
				t.Errorf("no check failed: %+v", checks)
			}
		})
	}
}

// warningRecorder records warnings.
type warningRecorder struct {
	site.Observer
	warnings []string
}

func (e *warningRecorder) Warn(text i18n.Message) { e.warnings = append(e.warnings, text.String()) }

func TestKeysThatTheClientIgnoresAreReported(t *testing.T) {
	text := strings.Replace(plainOpenWhisk("https://ow.example"), "  storage: minio\n", "  storage: minio\n  storage_bucket: old\n", 1)
	for version, want := range map[string]bool{"2.8.0": false, "3.7.0": true} {
		o := newOptions(t, version, text)
		e := &warningRecorder{}
		o.Host.Observer = e
		s, err := Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		reported := len(e.warnings) == 1 && strings.Contains(e.warnings[0], "'storage_bucket' in section 'lithops'") && strings.Contains(e.warnings[0], "line 4") && strings.Contains(e.warnings[0], "'minio'")
		if reported != want || !want && len(e.warnings) > 0 || s.Target.Bucket != "b" {
			t.Errorf("%s: bucket %s, %q", version, s.Target.Bucket, e.warnings)
		}
	}
}

// The client uses TLS even for http:// URLs. Open also uses TLS for a service on this machine that supports TLS.
// Otherwise it reports that the client cannot reach the service.
func TestHTTPSchemeIsInterpretedAsByTheClient(t *testing.T) {
	secured, plain := httptest.NewTLSServer(nil), httptest.NewServer(nil)
	t.Cleanup(secured.Close)
	t.Cleanup(plain.Close)
	secured.Config.ErrorLog = log.New(io.Discard, "", 0)
	for configured, want := range map[string]string{
		"http://" + secured.Listener.Addr().String(): secured.URL,
		plain.URL:            plain.URL,
		"http://127.0.0.1:1": "https://127.0.0.1:1", // no server
	} {
		o := newOptions(t, "3.7.0", plainOpenWhisk(configured))
		e := &warningRecorder{}
		o.Host.Observer = e
		s, err := Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		if s.Target.Endpoint != want {
			t.Errorf("%s: endpoint %s, want %s", configured, s.Target.Endpoint, want)
		}
		noTLS := want == plain.URL
		if (s.ClientProblem("session") != nil) != noTLS || slices.ContainsFunc(e.warnings, func(w string) bool { return strings.Contains(w, "does not support TLS") }) != noTLS {
			t.Errorf("%s: problem %v, warnings %q, want a problem: %v", configured, s.ClientProblem("session"), e.warnings, noTLS)
		}
	}
}
