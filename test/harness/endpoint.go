package harness

import (
	"encoding/json"
	"os"
	"path/filepath"

	"fn-runtime/runtime/local"
)

// Endpoint is what the local endpoint of a stage says of itself in its own file, credentials included.
type Endpoint struct {
	Endpoint    string `json:"endpoint"`
	S3Endpoint  string `json:"s3_endpoint"`
	Namespace   string `json:"namespace"`
	NamespaceID string `json:"namespace_id"`
	APIKey      string `json:"api_key"`
	Token       string `json:"token"`
	AccessKey   string `json:"access_key"`
	SecretKey   string `json:"secret_key"`
	Bucket      string `json:"bucket"`
	CAFile      string `json:"ca_file"`
	CABundle    string `json:"ca_bundle"`
	PID         int    `json:"pid"`
}

// Trust returns the environment variables with which clients verify the endpoint's certificate.
func (e Endpoint) Trust() []string {
	return []string{"REQUESTS_CA_BUNDLE=" + e.CABundle, "AWS_CA_BUNDLE=" + e.CABundle}
}

// LocalDir is where the local endpoint of the stage keeps its state.
func (s *Stage) LocalDir() string {
	return filepath.Join(s.Home, ".bluemix", "plugins", "fn-runtime", "local")
}

// Endpoint reads the file that the local endpoint publishes for its own user.
func (s *Stage) Endpoint() (e Endpoint) {
	s.t.Helper()
	data, err := os.ReadFile(filepath.Join(s.LocalDir(), "endpoint.json"))
	if err != nil {
		s.t.Fatal(err)
	}
	if err := json.Unmarshal(data, &e); err != nil {
		s.t.Fatal(err)
	}
	return e
}

// Requests reads the local endpoint's record. A record without any request is a mistake of the test.
func (s *Stage) Requests() []local.Request {
	s.t.Helper()
	all, err := local.Requests(s.LocalDir())
	if err != nil {
		s.t.Fatal(err)
	}
	if len(all) == 0 {
		s.t.Fatal("the endpoint has no record of requests")
	}
	return all
}
