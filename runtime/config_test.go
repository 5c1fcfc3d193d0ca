package runtime

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/runtimetest"
	"fn-runtime/runtime/site"
)

// newConfiguredService returns a service whose configuration was read from a file.
func newConfiguredService(t *testing.T, backend lithops.Backend, file string) *Service {
	t.Helper()
	in := lithops.Install{Version: "3.8.0"}
	config, err := lithops.Load(lithops.LoadOptions{File: file, Version: in.Version})
	if err != nil {
		t.Fatal(err)
	}
	compute, err := config.Compute(backend, in)
	if err != nil {
		t.Fatal(err)
	}
	storage, err := config.Storage(compute, in)
	if err != nil {
		t.Fatal(err)
	}
	contract := lithops.Contract{Backend: backend, Version: in.Version}
	return &Service{Config: config, Site: site.Site{
		Install: in, Contract: contract, Settings: compute, Storage: storage, Compute: runtimetest.NewCompute(contract),
		Target: Target{Backend: string(backend), Endpoint: compute.Endpoint, Namespace: compute.Namespace, Bucket: storage.Bucket},
	}}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func content(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

const openwhiskConfig = "lithops:\n  backend: openwhisk\n  storage: minio\nopenwhisk:\n  endpoint: https://ow\n  namespace: guest\n  api_key: me:KEY\n  runtime_memory: 2048\n  max_workers: 7\n" +
	"minio:\n  endpoint: https://s3\n  access_key_id: ID\n  secret_access_key: SECRET\n  storage_bucket: b\n"

// A configuration can be written to the file that it was read from, through a symbolic link, with a copy, and with
// access restricted to the owner.
func TestConfigurationIsWrittenToItsSource(t *testing.T) {
	dir := t.TempDir()
	real, link := filepath.Join(dir, "dotfiles"), filepath.Join(dir, "config")
	write(t, real, openwhiskConfig)
	if err := os.Symlink(real, link); err != nil {
		t.Fatal(err)
	}
	s := newConfiguredService(t, lithops.OpenWhisk, link)
	s.Target.Bucket = "other"
	done, err := s.WriteLithopsConfig(t.Context(), ConfigRequest{Program: "fn-runtime"}, link)
	if err != nil || !done.Changed || done.Copy != link+".bak" {
		t.Fatalf("%+v, %v", done, err)
	}
	for _, want := range []string{"api_key: me:KEY", "runtime_memory: 2048", "max_workers: 7", "secret_access_key: SECRET", "storage_bucket: other"} {
		if !strings.Contains(content(t, real), want) {
			t.Errorf("%q is not in\n%s", want, content(t, real))
		}
	}
	if got := content(t, real+".bak"); got != openwhiskConfig {
		t.Errorf("the copy holds\n%s", got)
	}
	for _, path := range []string{real, real + ".bak"} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Error("the link has become a file")
	}
	again, err := s.WriteLithopsConfig(t.Context(), ConfigRequest{Program: "fn-runtime"}, link)
	if err != nil || again.Changed || again.Copy != "" {
		t.Errorf("written a second time: %+v, %v", again, err)
	}
}

func TestConfigurationIsNotWrittenToInvalidFile(t *testing.T) {
	dir := t.TempDir()
	source, other := filepath.Join(dir, "config"), filepath.Join(dir, "other")
	write(t, source, openwhiskConfig)
	write(t, other, "- a list\n")
	s := newConfiguredService(t, lithops.OpenWhisk, source)
	if _, err := s.WriteLithopsConfig(t.Context(), ConfigRequest{}, other); !fault.Is(err, fault.Invalid) || content(t, other) != "- a list\n" {
		t.Errorf("%v; it holds %q", err, content(t, other))
	}
	if _, err := s.WriteLithopsConfig(t.Context(), ConfigRequest{}, dir); err == nil {
		t.Error("a directory was written")
	}
	done, err := s.WriteLithopsConfig(t.Context(), ConfigRequest{}, filepath.Join(dir, "new", "config"))
	if err != nil || !done.Changed || done.Copy != "" {
		t.Errorf("into a new directory: %+v, %v", done, err)
	}
}

// The client reads the API key only from section ibm, so a key in the section of the backend is repeated there.
func TestConfigurationRepeatsTheAPIKey(t *testing.T) {
	for backend, text := range map[lithops.Backend]string{
		lithops.IBMCF:      "ibm_cf: {iam_api_key: KEY, resource_group_id: GROUP, region: us-south, namespace: n, namespace_id: i}\n",
		lithops.CodeEngine: "code_engine: {iam_api_key: KEY, resource_group_id: GROUP, region: us-south, runtime: me/img}\n",
	} {
		file := filepath.Join(t.TempDir(), "config")
		write(t, file, "lithops: {backend: "+string(backend)+", storage: ibm_cos}\n"+text+
			"ibm_cos: {region: us-south, access_key_id: ID, secret_access_key: SECRET, storage_bucket: b}\n")
		data, err := newConfiguredService(t, backend, file).LithopsConfig(t.Context(), ConfigRequest{ShowSecrets: true})
		if err != nil {
			t.Fatal(err)
		}
		written := filepath.Join(t.TempDir(), "written")
		write(t, written, string(data))
		s := newConfiguredService(t, backend, written)
		if refusal := s.Config.Rejection(backend, s.Install); !refusal.IsZero() {
			t.Errorf("%s: the client would report %q for\n%s", backend, refusal, data)
		}
	}
}

// The client rejects ibm_cos with an endpoint but without a private endpoint. An endpoint of another region is removed.
func TestConfigurationOfIBM(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config")
	write(t, file, "lithops: {backend: ibm_cf, storage: ibm_cos}\nibm: {iam_api_key: KEY}\nibm_cf: {endpoint: https://us-south.functions.cloud.ibm.com, namespace: n, namespace_id: i}\n"+
		"ibm_cos: {endpoint: https://s3.us-south.cloud-object-storage.appdomain.cloud, access_key_id: ID, secret_access_key: SECRET, storage_bucket: b}\n")
	s := newConfiguredService(t, lithops.IBMCF, file)
	s.Settings.Region, s.Settings.Endpoint, s.Settings.Namespace = "eu-de", "", "other"
	s.Target.Endpoint = "https://eu-de.functions.cloud.ibm.com"
	data, err := s.LithopsConfig(t.Context(), ConfigRequest{})
	if err != nil {
		t.Fatal(err)
	}
	got := string(data)
	for _, want := range []string{"region: eu-de", "namespace: other", "private_endpoint: https://s3.private.us-south.cloud-object-storage.appdomain.cloud"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
	for _, not := range []string{"KEY", "SECRET", "us-south.functions", "namespace_id"} {
		if strings.Contains(got, not) {
			t.Errorf("%q is in\n%s", not, got)
		}
	}
}
