package lithops_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fn-runtime/runtime/lithops"
	"fn-runtime/test/harness"
)

// CheckWithClient returns the error message of the client, without the values of secret keys.
func TestCheckWithClientReportsClientErrors(t *testing.T) {
	venv := harness.Venv(t, "3.11", "lithops", "boto3")
	python := filepath.Join(venv, "bin", "python")
	in, err := lithops.Find(t.Context(), lithops.FindOptions{Python: python})
	if err != nil {
		t.Fatal(err)
	}
	const good = "lithops: {backend: openwhisk, storage: minio}\nopenwhisk: {endpoint: 'https://x', namespace: n, api_key: 'u:p'}\n" +
		"minio: {endpoint: 'http://x', access_key_id: ABCDEF, secret_access_key: TOPSECRET}\n"
	for text, want := range map[string]string{
		good: "",
		strings.Replace(good, "namespace: n, ", "", 1):                 "namespace is mandatory under 'openwhisk' section",
		strings.Replace(good, "http://x", "TOPSECRET", 1):              "MinIO endpoint must start with",
		strings.Replace(good, "storage: minio", "storage: nowhere", 1): "nowhere",
		"lithops: {backend: ibm_cf, storage: ibm_cos}\nibm: {iam_api_key: k}\nibm_cf: {region: us-south}\nibm_cos: {endpoint: 'https://s3.x.y'}\n": "cannot use",
		"# nothing\n": "", // the case above fails because the modules for IBM Cloud are not installed
	} {
		file := filepath.Join(t.TempDir(), "config")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := lithops.Load(lithops.LoadOptions{File: file, Version: in.Version})
		if err != nil {
			t.Fatal(err)
		}
		err = c.CheckWithClient(t.Context(), in, "", os.Environ())
		switch {
		case want == "" && err != nil, want != "" && (err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), file)):
			t.Errorf("%q: %v, want %q", text, err, want)
		case err != nil && strings.Contains(err.Error(), "TOPSECRET"):
			t.Errorf("the error contains the secret: %v", err)
		}
	}
	getenv := func(name string) string {
		return map[string]string{"LITHOPS_CONFIG": `{"lithops": {"backend": "openwhisk"}, "openwhisk": {"api_key": "k"}}`}[name]
	}
	c, err := lithops.Load(lithops.LoadOptions{Getenv: getenv})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.CheckWithClient(t.Context(), in, "", os.Environ()); err == nil || !strings.Contains(err.Error(), "LITHOPS_CONFIG: endpoint is mandatory") {
		t.Errorf("JSON from the environment: %v", err)
	}
	if err := c.CheckWithClient(t.Context(), in, "ibm_cf", os.Environ()); err == nil || !strings.Contains(err.Error(), "ibm") {
		t.Errorf("another backend: %v", err)
	}
}
