package lithops

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops/pyyaml"
)

func loadText(t *testing.T, version, text string) (*Config, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return Load(LoadOptions{File: file, Version: version})
}

func mustLoad(t *testing.T, version, text string) *Config {
	t.Helper()
	c, err := loadText(t, version, text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestErrorsNameFileLineAndKey(t *testing.T) {
	const secret = "TOPSECRET"
	for _, tc := range []struct{ text, location, what string }{
		{"ibm_cf:\n  runtime_memory: '256'\n", "line 2", "'runtime_memory' in section 'ibm_cf' of the Lithops configuration must be an integer"},
		{"ibm:\n  region: us-south\n  iam_api_key: 12345\n", "line 3", "'iam_api_key' in section 'ibm' of the Lithops configuration must be a string"},
		{"ibm_cf: " + secret + "\n", "line 1", "Section 'ibm_cf'"},
		{"# c\nibm_cf:\n  - " + secret + "\n", "line 2", "Section 'ibm_cf'"},
		{"ibm_cf:\n  runtime_timeout: 1.5\n", "line 2", "must be an integer"},
		{"ibm_cf:\n  endpoint: us-south\n", "line 2", "is not a URL"},
		{"ibm_cf: [" + secret + "\n", "line 1", "malformed"},
		{"ibm:\n  iam_api_key: \"" + secret + "\n", "line 2", "malformed"},
		{"a: &x [*x]\n", "line 1", "alias"},
		{"ibm_cf:\n\tkey: " + secret + "\n", "line", "malformed"},
		{"- " + secret + "\n", "line 1", "no sections"},
		{"a: 1\n---\nb: 2\n", "line", "more than one document"},
		{"a: !!python/object/apply:os.system [x]\n", "line 1", "tag"},
	} {
		c, err := loadText(t, "3.8.0", tc.text)
		if err == nil {
			_, err = c.Compute(IBMCF, Install{Version: "3.8.0"})
		}
		var f *fault.Fault
		if !errors.As(err, &f) {
			t.Errorf("%q: got no error", tc.text)
			continue
		}
		if s := f.Error(); !strings.Contains(s, tc.location) || !strings.Contains(s, tc.what) || !strings.Contains(s, "config") || f.Recovery.IsZero() {
			t.Errorf("%q: %s / %s", tc.text, s, f.Recovery)
		}
		if all := fmt.Sprint(f, f.Recovery, f.Details, f.Unwrap()); strings.Contains(all, secret) {
			t.Errorf("%q: the error contains the secret: %s", tc.text, all)
		}
	}
}

func TestLoadRejectsBombsAndDeepNesting(t *testing.T) {
	bomb := "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
	for i := 1; i < 9; i++ {
		bomb += fmt.Sprintf("a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i-1), 10), ","))
	}
	deep := ""
	for i := range 400 {
		deep += strings.Repeat(" ", i) + "k:\n"
	}
	for name, text := range map[string]string{
		"bomb": bomb, "brackets": "a: " + strings.Repeat("[", 100_000), "braces": "a: " + strings.Repeat("{a: ", 50_000),
		"dashes": strings.Repeat("- ", 100_000), "keys": strings.Repeat("? ", 100_000), "tags": "a: " + strings.Repeat("!!x ", 50_000),
		"anchors": "a: " + strings.Repeat("&a ", 60_000), "indentation": deep, "size": "a: '" + strings.Repeat("x", pyyaml.MaxSize) + "'",
	} {
		if _, err := loadText(t, "", text); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, text := range map[string]string{
		"deep": strings.Repeat(`{"a":`, 100_000), "list": strings.Repeat("[", 100_000), "two": "{} {}", "half": `{"a": "TOPSECRET`, "size": `{"a": "` + strings.Repeat("x", pyyaml.MaxSize) + `"}`,
	} {
		getenv := func(n string) string { return map[string]string{"LITHOPS_CONFIG": text}[n] }
		_, err := Load(LoadOptions{Getenv: getenv})
		if !fault.Is(err, fault.Invalid) || strings.Contains(fmt.Sprint(err), "TOPSECRET") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestMergeKeysAnchorsAndDuplicates(t *testing.T) {
	c := mustLoad(t, "3.8.0", "base: &b {endpoint: https://a.example, namespace: one}\nopenwhisk:\n  <<: *b\n  namespace: two\n  api_key: 'x'\n  api_key: 'y'\n")
	got, err := c.Compute(OpenWhisk, Install{Version: "3.8.0"})
	if err != nil || got.Endpoint != "https://a.example" || got.Namespace != "two" || got.APIKey != "y" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestSearchOrder(t *testing.T) {
	home, work := t.TempDir(), t.TempDir()
	env := map[string]string{}
	load := func(o LoadOptions) (*Config, error) {
		o.Home, o.WorkDir, o.Getenv = home, work, func(n string) string { return env[n] }
		return Load(o)
	}
	write := func(path, backend string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("lithops: {backend: "+backend+"}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	expect := func(want string, o LoadOptions) {
		t.Helper()
		c, err := load(o)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := c.Backend(); got != want || err != nil {
			t.Errorf("want %q, got %q from %q, %v", want, got, c.Source(), err)
		}
	}
	if _, err := os.Stat(globalConfig); err != nil {
		expect("", LoadOptions{})
	}
	write(filepath.Join(home, ".lithops", "config"), "home")
	expect("home", LoadOptions{})
	write(filepath.Join(work, ".lithops_config"), "work")
	expect("work", LoadOptions{})
	write(filepath.Join(work, "named"), "named")
	env["LITHOPS_CONFIG_FILE"] = "named"
	expect("named", LoadOptions{})
	env["LITHOPS_CONFIG"] = `{"lithops": {"backend": "json"}}`
	expect("json", LoadOptions{})
	write(filepath.Join(home, "given"), "given")
	expect("given", LoadOptions{File: "~/given"})

	_, err := load(LoadOptions{File: "absent"})
	if err == nil || !strings.Contains(err.Error(), filepath.Join(work, "absent")) {
		t.Errorf("missing file: %v", err)
	}
	delete(env, "LITHOPS_CONFIG")
	env["LITHOPS_CONFIG_FILE"] = "absent"
	if _, err = load(LoadOptions{}); err == nil || !strings.Contains(err.Error(), "LITHOPS_CONFIG_FILE") {
		t.Errorf("missing file in LITHOPS_CONFIG_FILE: %v", err)
	}
	if _, err = load(LoadOptions{File: home}); !fault.Is(err, fault.Invalid) {
		t.Errorf("directory: %v", err)
	}
}

func TestEmptyConfigurationDoesNotExist(t *testing.T) {
	for _, text := range []string{"", "# nothing\n", "{}", "---\n", "null"} {
		c := mustLoad(t, "3.8.0", text)
		if c.exists() {
			t.Errorf("%q: the configuration exists", text)
		}
		if s, err := c.Storage(Compute{}, Install{Version: "3.8.0"}); err != nil || s != (Storage{}) {
			t.Errorf("%q: %+v, %v", text, s, err)
		}
		if got, err := c.Compute(IBMCF, Install{Version: "3.8.0"}); err != nil || got.RuntimeTimeout != 600 || got.DockerServer != "docker.io" {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
}

func TestComputeByRelease(t *testing.T) {
	const both = "ibm: {iam_api_key: from-ibm, region: eu-de}\nibm_cf: {iam_api_key: from-cf, region: us-south}\n"
	for version, want := range map[string]string{"2.9.0": "from-ibm eu-de", "3.0.0": "from-cf us-south"} {
		got, err := mustLoad(t, version, both).Compute(IBMCF, Install{Version: version})
		if err != nil || got.IAMAPIKey+" "+got.Region != want {
			t.Errorf("%s: %+v, %v", version, got, err)
		}
	}
	const regions = `
serverless: {backend: ibm_cf, runtime: me/img, runtime_memory: 512, region: b}
ibm_cf:
  regions:
    a: {endpoint: "https://a.example", namespace: na, api_key: "1:2"}
    b: {endpoint: "https://eu-gb.example", namespace: nb, api_key: "3:4"}
`
	got, err := mustLoad(t, "2.2.16", regions).Compute(IBMCF, Install{Version: "2.2.16"})
	if err != nil || got.Namespace != "nb" || got.Region != "eu-gb" || got.APIKey != "3:4" || got.Runtime != "me/img" || got.RuntimeMemory != 512 {
		t.Errorf("%+v, %v", got, err)
	}
	got, err = mustLoad(t, "3.8.0", "openwhisk: {insecure: yes, runtime: default, token_expiry_time: 99}\n").Compute(OpenWhisk, Install{Version: "3.8.0"})
	if err != nil || !got.Insecure || got.Runtime != "" || got.RuntimeTimeout != 300 || got.TokenExpiry != 99 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestValidateReportsMissingKey(t *testing.T) {
	for _, tc := range []struct {
		c       Compute
		version string
		key     string
	}{
		{Compute{Backend: OpenWhisk}, "3.8.0", "'api_key'"},
		{Compute{Backend: OpenWhisk, APIKey: "x"}, "3.8.0", "'endpoint'"},
		{Compute{Backend: OpenWhisk, APIKey: "x", Endpoint: "https://x"}, "3.8.0", "'namespace'"},
		{Compute{Backend: IBMCF}, "3.8.0", "'iam_api_key'"},
		{Compute{Backend: IBMCF, IAMAPIKey: "x"}, "3.8.0", "'region'"},
		{Compute{Backend: IBMCF}, "2.9.0", "'namespace'"},
		{Compute{Backend: IBMCF, Namespace: "n"}, "2.9.0", "'endpoint'"},
		{Compute{Backend: IBMCF, Namespace: "n", Endpoint: "https://x"}, "2.9.0", "'iam_api_key'"},
		{Compute{Backend: IBMCF, Namespace: "n", Endpoint: "https://x", IAMAPIKey: "x"}, "2.9.0", "'namespace_id'"},
	} {
		if err := tc.c.Validate(tc.version); err == nil || !strings.Contains(err.Error(), tc.key) {
			t.Errorf("%+v: %v", tc, err)
		}
	}
	for _, tc := range []struct {
		s   Storage
		key string
	}{
		{Storage{}, "'storage'"}, {Storage{Backend: IBMCOS}, "bucket"}, {Storage{Backend: IBMCOS, Bucket: "b"}, "'region'"},
		{Storage{Backend: Minio, Bucket: "s3://b"}, "'s3://b' is not a valid bucket name"}, {Storage{Backend: Minio, Bucket: "name/"}, "'name/'"},
		{Storage{Backend: IBMCOS, Bucket: "b", Endpoint: "https://x"}, "'access_key_id'"}, {Storage{Backend: Minio, Bucket: "b"}, "'endpoint'"},
		{Storage{Backend: Minio, Bucket: "b", Endpoint: "https://x"}, "'access_key_id'"},
		{Storage{Backend: ceph, Bucket: "b", Endpoint: "https://x", AccessKeyID: "x"}, "'secret_access_key'"},
	} {
		if err := tc.s.Validate(); err == nil || !strings.Contains(err.Error(), tc.key) {
			t.Errorf("%+v: %v", tc, err)
		}
	}
}

func TestStorage(t *testing.T) {
	for _, tc := range []struct{ name, version, text, want string }{
		{"region of ibm_cf", "3.8.0", "lithops: {storage: ibm_cos}\nibm_cos: {access_key_id: AKID1234567, secret_access_key: s}\n", "https://s3.us-south.cloud-object-storage.appdomain.cloud us-south lithops-us-south-akid12"},
		{"endpoint wins since 3.0", "3.0.0", "lithops: {storage: ibm_cos}\nibm_cos: {endpoint: 'http://s3.eu-de.x', region: eu-gb, storage_bucket: b}\n", "https://s3.eu-de.x eu-gb b"},
		{"region wins before", "2.9.0", "lithops: {storage: ibm_cos}\nibm_cos: {endpoint: 'http://s3.eu-de.x', region: eu-gb, storage_bucket: b}\n", "https://s3.eu-gb.cloud-object-storage.appdomain.cloud eu-gb b"},
		{"bucket of lithops is ignored since 2.9", "2.9.0", "lithops: {storage: minio, storage_bucket: b}\nminio: {endpoint: 'http://x'}\n", "http://x  "},
		{"bucket of lithops", "2.8.0", "lithops: {storage: minio, storage_bucket: b}\nminio: {endpoint: 'http://x'}\n", "http://x  b"},
		{"default storage", "3.1.0", "lithops: {backend: ibm_cf}\n", "https://s3.us-south.cloud-object-storage.appdomain.cloud us-south "},
		{"default storage later", "3.1.1", "aws: {region: eu-west-1, access_key_id: ABCDEFGH, secret_access_key: s}\n", "https://s3.eu-west-1.amazonaws.com eu-west-1 lithops-eu-west-1-abcdef"},
		{"aws needs a request to the service", "3.3.0", "aws: {region: eu-west-1, access_key_id: ABCDEFGH, secret_access_key: s}\n", "https://s3.eu-west-1.amazonaws.com eu-west-1 "},
		{"aws before 2.9", "2.8.0", "lithops: {storage: aws_s3, storage_bucket: b}\naws: {access_key_id: A}\naws_s3: {endpoint: 'https://s3.eu-west-1.amazonaws.com'}\n", "https://s3.eu-west-1.amazonaws.com eu-west-1 b"},
	} {
		s, err := mustLoad(t, tc.version, tc.text).Storage(Compute{Backend: IBMCF, Region: "us-south"}, Install{Version: tc.version})
		if got := s.Endpoint + " " + s.Region + " " + s.Bucket; err != nil || got != tc.want {
			t.Errorf("%s: %q, %v", tc.name, got, err)
		}
	}
	_, err := mustLoad(t, "3.8.0", "lithops:\n  storage: redis\n").Storage(Compute{}, Install{})
	if err == nil || !strings.Contains(err.Error(), "line 2") || !strings.Contains(err.Error(), "'redis'") {
		t.Errorf("redis: %v", err)
	}
}

func FuzzConfig(f *testing.F) {
	for _, s := range []string{"lithops:\n  backend: ibm_cf\n", "a: &x [1]\nb: *x\n", "a: {b: [c, d]}\n", "a: |\n  x\n", "<<: 1", "? a\n: b\n", "%YAML 1.2\n---\na: !!str 1\n", "a: \"\\u00e9\"\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, parse := range []func([]byte) (*pyyaml.Node, error){pyyaml.Parse, pyyaml.ParseJSON} {
			c, err := (&Config{source: "x"}).with(parse(data))
			if err != nil {
				if fault.KindOf(err) != fault.Invalid {
					t.Errorf("got %v, want %s", err, fault.Invalid)
				}
				continue
			}
			for _, version := range []string{"2.2.0", "2.9.0", "3.8.0"} {
				in := Install{Version: version}
				for _, b := range []Backend{IBMCF, OpenWhisk} {
					compute, _ := c.Compute(b, in)
					_ = compute.Validate(version)
					storage, _ := c.Storage(compute, in)
					_ = storage.Validate()
					_, _ = UserKey(b, version, compute)
				}
			}
			_, _ = c.Backend()
		}
	})
}
