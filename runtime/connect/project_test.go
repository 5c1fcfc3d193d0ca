package connect

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
)

func codeEngineConfig(more string) string {
	return "lithops:\n  backend: code_engine\n  storage: minio\n" + minio + "ibm:\n  iam_api_key: Ab_x-0123\n  resource_group_id: group\n" + more
}

// TestOpenCodeEngine checks the selected target. All requests fail because the context is canceled.
func TestOpenCodeEngine(t *testing.T) {
	for name, c := range map[string]struct {
		version, config   string
		change            func(*Options)
		endpoint, project string
		id                string // of the project; empty if not configured
		want              string // in the error
	}{
		"region of the configuration": {"3.8.0", codeEngineConfig("  region: us-east\n"), nil, "https://api.us-east.codeengine.cloud.ibm.com", "lithops-us-east-ab0x", "", ""},
		"region of the session": {"3.7.0", codeEngineConfig(""), func(o *Options) { o.Host.Session = session(false) },
			"https://api.eu-de.codeengine.cloud.ibm.com", "lithops-eu-de-ab0x", "", ""},
		"private": {"3.8.0", codeEngineConfig(""), func(o *Options) { o.Host.Session = session(true) },
			"https://api.private.eu-de.codeengine.cloud.ibm.com", "lithops-eu-de-ab0x", "", ""},
		"named": {"3.8.0", codeEngineConfig("code_engine:\n  region: eu-gb\n  project_name: ours\n  project_id: the-id\n"), nil,
			"https://api.eu-gb.codeengine.cloud.ibm.com", "ours", "the-id", ""},
		"another project": {"3.8.0", codeEngineConfig("code_engine:\n  region: eu-gb\n  project_id: the-id\n"), func(o *Options) { o.Namespace = "other" },
			"https://api.eu-gb.codeengine.cloud.ibm.com", "other", "", ""},
		"another region": {"3.8.0", codeEngineConfig("code_engine:\n  region: eu-gb\n  project_id: the-id\n"), func(o *Options) { o.Region = "au-syd" },
			"https://api.au-syd.codeengine.cloud.ibm.com", "lithops-au-syd-ab0x", "", ""},
		"session alone": {"3.8.0", "lithops:\n  storage: minio\n" + minio, func(o *Options) { o.Backend, o.Host.Session, o.UserKey = "code_engine", session(false), "abcd" },
			"https://api.eu-de.codeengine.cloud.ibm.com", "lithops-eu-de-abcd", "", ""},
		"user key with uppercase letters": {"3.8.0", "lithops:\n  storage: minio\n" + minio, func(o *Options) { o.Backend, o.Host.Session, o.UserKey = "code_engine", session(false), "Ab_x" },
			"https://api.eu-de.codeengine.cloud.ibm.com", "lithops-eu-de-ab0x", "", ""},
		"unknown region": {"3.8.0", codeEngineConfig("  region: in-che\n"), nil, "", "", "", "in-che|us-south"},
		"no region":      {"3.8.0", codeEngineConfig(""), nil, "", "", "", "No region|--region"},
		"no key":         {"3.8.0", "lithops:\n  storage: minio\n" + minio, func(o *Options) { o.Backend, o.Host.Session = "code_engine", session(false) }, "", "", "", "iam_api_key|--user-key"},
		"logged out":     {"3.8.0", "lithops:\n  backend: code_engine\n", nil, "", "", "", "Not logged in|ibmcloud login"},
		"old client":     {"3.6.4", codeEngineConfig("  region: us-east\n"), nil, "", "", "", "3.7.0|pip install"},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOptions(t, c.version, c.config)
			if c.change != nil {
				c.change(&o)
			}
			o.Tolerant = true
			ctx, cancel := context.WithCancelCause(t.Context())
			p := &opening{o: o, cache: lithops.Cache{Dir: lithops.CacheDir(o.Host.Home)}}
			offline := errors.New("offline")
			defer cancel(nil)
			if err := p.findLithops(ctx); err != nil {
				t.Fatal(err)
			}
			cancel(offline)
			err := p.open(ctx)
			if c.want == "" {
				if p.target.Endpoint != c.endpoint || p.target.Namespace != c.project || p.computeService == nil || p.computeService.Scope().ID != c.id || p.store == nil {
					t.Errorf("%+v, %v; problems %v", p.target, err, p.problems)
				}
				return
			}
			var reported []string
			for _, problem := range append([]error{err}, p.problems["backend"], p.problems["session"], p.problems["region"], p.problems["namespace"]) {
				if f, ok := errors.AsType[*fault.Fault](problem); ok {
					reported = append(reported, f.Reason.String(), f.Recovery.String())
				}
			}
			for w := range strings.SplitSeq(c.want, "|") {
				if !strings.Contains(strings.Join(reported, " "), w) {
					t.Errorf("%q is not in %q", w, reported)
				}
			}
		})
	}
}

// The project cache is the cache of the client. An entry that an older release wrote is not changed because the
// client on this machine continues to use it.
func TestProjectCache(t *testing.T) {
	cache := lithops.Cache{Dir: t.TempDir()}
	m := projectCache{cache, func(id string) string { return id }}
	if _, ok := m.Lookup("ours"); ok {
		t.Error("found a project that was not stored")
	}
	if err := m.Store("ours", "id-1"); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(cache.Dir, "code_engine", "ours_data")
	text, err := os.ReadFile(file)
	if want := "namespace: id-1\nproject_id: id-1\nproject_name: ours\n"; err != nil || string(text) != want {
		t.Errorf("the file is %q, %v; want %q", text, err, want)
	}
	old := strings.Replace(string(text), "namespace: id-1", "namespace: 4svg40kna19", 1)
	if err := os.WriteFile(file, []byte(old), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := m.Store("ours", "id-1"); err != nil {
		t.Fatal(err)
	}
	if text, _ = os.ReadFile(file); string(text) != old {
		t.Errorf("the file is %q, want %q", text, old)
	}
	if err := m.Remove("ours"); err != nil {
		t.Fatal(err)
	}
	if id, ok := m.Lookup("ours"); ok {
		t.Errorf("still cached as %s", id)
	}
}

// The regions depend on the backend of the flag, otherwise of the configuration, otherwise ibm_cf.
func TestRegionsOfTheBackend(t *testing.T) {
	for name, c := range map[string]struct {
		config, flag string
		eu           bool // contains eu-es, which only Code Engine has
	}{
		"neither":       {"", "", false},
		"flag":          {"", "code_engine", true},
		"configuration": {codeEngineConfig(""), "", true},
		"flag wins":     {codeEngineConfig(""), "ibm_cf", false},
		"openwhisk":     {plainOpenWhisk("https://ow.example"), "", false},
	} {
		o := newOptions(t, "3.8.0", c.config)
		o.Backend = c.flag
		if got := Regions(o); len(got) == 0 || slices.Contains(got, "eu-es") != c.eu {
			t.Errorf("%s: %q", name, got)
		}
	}
}
