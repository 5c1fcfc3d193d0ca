package contract

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fn-runtime/runtime"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/runtimetest"
	"fn-runtime/runtime/site"
)

// rewritten returns a case with the configuration that lithops-config writes for c.
func rewritten(t *testing.T, in lithops.Install, c testCase) testCase {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(file, []byte(c.YAML), 0o600); err != nil {
		t.Fatal(err)
	}
	config, err := lithops.Load(lithops.LoadOptions{File: file, Version: in.Version})
	if err != nil {
		t.Fatal(err)
	}
	compute, err := config.Compute(c.Backend, in)
	if err != nil {
		t.Fatal(err)
	}
	storage, err := config.Storage(compute, in)
	if err != nil {
		t.Fatal(err)
	}
	contract := lithops.Contract{Backend: c.Backend, Version: in.Version}
	s := &runtime.Service{Config: config, Site: site.Site{
		Target:  runtime.Target{Backend: string(c.Backend), Endpoint: compute.Endpoint, Region: compute.Region, Namespace: compute.Namespace, Bucket: storage.Bucket},
		Install: in, Contract: contract, Settings: compute, Storage: storage, Compute: runtimetest.NewCompute(contract),
	}}
	return c.with(t, s)
}

// migrated returns a case with the Code Engine configuration that lithops-config writes for a Cloud Functions
// configuration.
func migrated(t *testing.T, in lithops.Install, c testCase) testCase {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(file, []byte(c.YAML), 0o600); err != nil {
		t.Fatal(err)
	}
	config, err := lithops.Load(lithops.LoadOptions{File: file, Version: in.Version})
	if err != nil {
		t.Fatal(err)
	}
	c.Backend, c.Memories, in.Python = lithops.CodeEngine, []int{256, 2048}, "3.11"
	compute, err := config.Compute(c.Backend, in)
	if err != nil {
		t.Fatal(err)
	}
	compute.Region = "eu-es" // from the session
	storage, err := config.Storage(compute, in)
	if err != nil {
		t.Fatal(err)
	}
	contract := lithops.Contract{Backend: c.Backend, Version: in.Version}
	c = c.with(t, &runtime.Service{Config: config, Site: site.Site{
		Target:  runtime.Target{Backend: string(c.Backend), Region: compute.Region, ResourceGroup: "4ss4pjkfh96pp4mfhtb7r9j86wlukg0e", Bucket: storage.Bucket},
		Install: in, Contract: contract, Settings: compute, Storage: storage, Compute: runtimetest.NewCompute(contract),
	}})
	if want := `  runtime: docker.io/lithopscloud/openwhisk-python-v311`; !strings.Contains(c.YAML, want) {
		t.Errorf("no %q in\n%s", want, c.YAML)
	}
	return c
}

// localEndpointConfig returns the configuration that lithops-config writes if there is none.
func localEndpointConfig(t *testing.T, in lithops.Install, random generator) testCase {
	t.Helper()
	const endpoint = "https://127.0.0.1:46535"
	s := &runtime.Service{Site: site.Site{
		Target:  runtime.Target{Backend: runtime.BackendLocal, Endpoint: endpoint, Namespace: "guest", Bucket: "lithops-local"},
		Install: in, Contract: lithops.Contract{Backend: lithops.OpenWhisk, Version: in.Version},
		Settings: lithops.Compute{Backend: lithops.OpenWhisk, Endpoint: endpoint, Namespace: "guest", APIKey: "3b8ddfc7-a08d-4734-bc56-d2ef4c4c07ec:key"},
		Storage:  lithops.Storage{Backend: lithops.Minio, Endpoint: endpoint, Bucket: "lithops-local", AccessKeyID: "FNTOQGIGVNCPPJ7VE2HI", SecretAccessKey: "secret"},
	}}
	c := random.next()
	c.Backend = lithops.OpenWhisk
	return c.with(t, s)
}

func (c testCase) with(t *testing.T, s *runtime.Service) testCase {
	t.Helper()
	data, err := s.LithopsConfig(t.Context(), runtime.ConfigRequest{ShowSecrets: true, Program: "fn-runtime"})
	if err != nil {
		t.Fatal(err)
	}
	c.YAML = string(data)
	return c
}

// compareRewritten checks that the client accepts the configuration that lithops-config writes, and derives the same
// values from it as from the original.
func compareRewritten(t *testing.T, q request, a response) {
	t.Helper()
	for i := range casesPerRelease {
		theirs, ours := &a.Compute[i], &a.Compute[i+casesPerRelease]
		size := lithops.JobSize{MilliCPU: int(theirs.CPU * 1000), MemoryMB: theirs.Memory}
		if size.Check() != nil && (lithops.JobSize{MilliCPU: int(ours.CPU * 1000), MemoryMB: ours.Memory}).Check() == nil {
			theirs.CPU = ours.CPU // lithops-config replaces values that Code Engine would reject
		}
		if d := cmp.Diff(a.Compute[i], a.Compute[i+casesPerRelease]); d != "" {
			t.Errorf("of its own configuration Lithops makes -, of ours +\n%s\n%s\nours:\n%s", d, q.Cases[i].YAML, q.Cases[i+casesPerRelease].YAML)
			return
		}
	}
	if len(a.Compute) == 2*casesPerRelease {
		return
	}
	local := a.Compute[2*casesPerRelease]
	if local.Endpoint != "https://127.0.0.1:46535" || local.UserKey != "3b8dd" || local.Storage.Bucket != "lithops-local" || local.Storage.Endpoint != local.Endpoint {
		t.Errorf("of a configuration for the local endpoint, Lithops makes %+v", local)
	}
}
