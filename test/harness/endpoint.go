package harness

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
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

// Request is one line of the local endpoint's record.
type Request struct {
	Service string `json:"service"` // "openwhisk", "s3" or "endpoint"
	Method  string `json:"method"`
	Path    string `json:"path"`
	Query   string `json:"query"`
	Status  int    `json:"status"`
	Agent   string `json:"user_agent"`
}

// Requests reads the local endpoint's record. A record without any request is a mistake of the test.
func (s *Stage) Requests() (all []Request) {
	s.t.Helper()
	data, err := os.ReadFile(filepath.Join(s.LocalDir(), "endpoint.jsonl"))
	if err != nil {
		s.t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		var r struct {
			Message string `json:"msg"`
			Request
		}
		if err := json.Unmarshal([]byte(line), &r); err == nil && r.Message == "request" {
			all = append(all, r.Request)
		}
	}
	if len(all) == 0 {
		s.t.Fatal("the endpoint has no record of requests")
	}
	return all
}
