package registry

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/distribution/reference"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	memory "github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"fn-runtime/runtime/fault"
)

func configDir(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestFor(t *testing.T) {
	// "dTpw" is u:p, "aDpx" is h:q.
	logins := configDir(t, `{"auths": {"`+authn.DefaultAuthKey+`": {"auth": "aDpx"}, "us.icr.io": {"auth": "dTpw"}, "token.io": {"identitytoken": "tok"}}}`)
	for _, it := range []struct {
		name, host string
		c          Credentials
		user, pass string
	}{
		{"per registry", "us.icr.io", Credentials{Dir: logins}, "u", "p"},
		{"Docker Hub", "docker.io", Credentials{Dir: logins}, "h", "q"},
		{"Docker Hub as in BuildKit", "registry-1.docker.io", Credentials{Dir: logins}, "h", "q"},
		{"unknown registry", "quay.io", Credentials{Dir: logins}, "", ""},
		{"no config", "us.icr.io", Credentials{Dir: t.TempDir()}, "", ""},
		{"no directory", "us.icr.io", Credentials{}, "", ""},
		{"Lithops configuration for its server", "us.icr.io", Credentials{Dir: logins, Server: "https://us.icr.io/", User: "l", Password: "w"}, "l", "w"},
		{"Lithops server defaults to Docker Hub", "docker.io", Credentials{Dir: logins, User: "l", Password: "w"}, "l", "w"},
		{"Lithops credentials for another server", "us.icr.io", Credentials{Dir: logins, Server: "docker.io", User: "l", Password: "w"}, "u", "p"},
		{"user without password", "docker.io", Credentials{User: "l"}, "", ""},
	} {
		t.Run(it.name, func(t *testing.T) {
			a, err := it.c.For(context.Background(), it.host)
			if err != nil || a.Username != it.user || a.Password != it.pass {
				t.Errorf("%q %q %v", a.Username, a.Password, err)
			}
		})
	}
	if a, err := (Credentials{Dir: logins}).For(context.Background(), "token.io"); err != nil || a.IdentityToken != "tok" {
		t.Errorf("%+v %v", a, err)
	}
	if all := (Credentials{Dir: logins, Server: "x.io", User: "l", Password: "w"}).All(t.Context()); len(all) != 4 || all["x.io"].Username != "l" || all[hubKey].Username != "h" {
		t.Errorf("got %+v, want credentials of four registries: l for x.io and h for %s", all, hubKey)
	}
	if _, err := (Credentials{Dir: configDir(t, "{")}).For(context.Background(), "x.io"); !fault.Is(err, fault.Invalid) {
		t.Error(err)
	}
}

// The test runs credential helpers from PATH: one that succeeds, one that fails, and one that hangs.
func TestHelper(t *testing.T) {
	bin := t.TempDir()
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	for name, script := range map[string]string{
		"good": `cat >/dev/null; echo '{"ServerURL":"us.icr.io","Username":"iamapikey","Secret":"s3cret"}'`,
		"bad":  `cat >/dev/null; echo "no keychain" >&2; exit 1`,
		"hang": `exec sleep 600`,
	} {
		if err := os.WriteFile(filepath.Join(bin, "docker-credential-"+name), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	helper := func(name string) Credentials {
		return Credentials{Dir: configDir(t, `{"credHelpers": {"us.icr.io": "`+name+`"}}`)}
	}
	if a, err := helper("good").For(context.Background(), "us.icr.io"); err != nil || a.Username != "iamapikey" || a.Password != "s3cret" {
		t.Errorf("%+v %v", a, err)
	}
	if _, err := helper("bad").For(context.Background(), "us.icr.io"); !fault.Is(err, fault.Denied) || !strings.Contains(err.Error(), "us.icr.io") {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := helper("hang").For(ctx, "us.icr.io"); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func named(t *testing.T, s string) reference.Named {
	t.Helper()
	ref, err := reference.ParseNormalizedNamed(s)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func TestDigest(t *testing.T) {
	inner := memory.New(memory.Logger(log.New(io.Discard, "", 0)))
	status := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, pass, _ := r.BasicAuth()
		switch {
		case user != "u" || pass != "p":
			w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
			w.WriteHeader(http.StatusUnauthorized)
		case status != 0 && r.URL.Path != "/v2/":
			w.WriteHeader(status)
		default:
			inner.ServeHTTP(w, r)
		}
	}))
	defer server.Close()
	host := strings.TrimPrefix(server.URL, "http://")
	good := Credentials{Server: host, User: "u", Password: "p"}

	img, err := random.Image(100, 1)
	if err != nil {
		t.Fatal(err)
	}
	tag, err := name.NewTag(host + "/me/img:1")
	if err != nil {
		t.Fatal(err)
	}
	auth := remote.WithAuth(basic{})
	if err := remote.Write(tag, img, auth); err != nil {
		t.Fatal(err)
	}
	want, _ := img.Digest()
	if got, err := good.Digest(context.Background(), named(t, host+"/me/img:1"), nil); err != nil || got != want.String() {
		t.Errorf("%s %v", got, err)
	}
	for _, it := range []struct {
		name   string
		c      Credentials
		image  string
		status int
		kind   fault.Kind
	}{
		{"missing", good, "/me/img:2", 0, fault.NotFound},
		{"latest missing", good, "/me/img", 0, fault.NotFound},
		{"wrong password", Credentials{Server: host, User: "u", Password: "no"}, "/me/img:1", 0, fault.Denied},
		{"anonymous", Credentials{}, "/me/img:1", 0, fault.Denied},
		{"forbidden", good, "/me/img:1", 403, fault.Denied},
		{"throttled", good, "/me/img:1", 429, fault.Throttled},
		{"broken", good, "/me/img:1", 500, fault.Unavailable},
	} {
		t.Run(it.name, func(t *testing.T) {
			status = it.status
			_, err := it.c.Digest(context.Background(), named(t, host+it.image), nil)
			if fault.KindOf(err) != it.kind || !strings.Contains(err.Error(), host) {
				t.Errorf("%q: %v", fault.KindOf(err), err)
			}
			if strings.Contains(err.Error(), "no\"") {
				t.Error("the password is in the error")
			}
		})
	}
	server.Close()
	if _, err := good.Digest(context.Background(), named(t, host+"/me/img:1"), nil); !fault.Is(err, fault.Unavailable) {
		t.Error(err)
	}
}

// The library itself would use HTTP for private addresses.
func TestNoCredentialsWithoutTLS(t *testing.T) {
	requested := ""
	rt := roundTripper(func(r *http.Request) (*http.Response, error) {
		requested += r.URL.Scheme + "://" + r.URL.Host + " "
		return nil, errors.New("no TLS here")
	})
	_, err := Credentials{Server: "10.0.0.9:5000", User: "u", Password: "p"}.Digest(context.Background(), named(t, "10.0.0.9:5000/a/b:1"), rt)
	if err == nil || strings.Contains(requested, "http://") {
		t.Errorf("requested %s: %v", requested, err)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

type basic struct{}

func (basic) Authorization() (*authn.AuthConfig, error) {
	return &authn.AuthConfig{Username: "u", Password: "p"}, nil
}

// The error for a missing helper names the helper and the setting, because a login cannot fix it.
func TestMissingHelper(t *testing.T) {
	for setting, text := range map[string]string{
		"credsStore":  `{"credsStore":"gone-for-good"}`,
		"credHelpers": `{"credHelpers":{"reg.example":"gone-for-good"}}`,
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Credentials{Dir: dir}.For(t.Context(), "reg.example")
		var f *fault.Fault
		if !errors.As(err, &f) || !strings.Contains(f.Error(), "docker-credential-gone-for-good") || !strings.Contains(f.Recovery.String(), "'"+setting+"'") {
			t.Errorf("%s: %v %+v", setting, err, f)
		}
	}
}
