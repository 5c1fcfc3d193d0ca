package harness

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"fn-runtime/runtime/local"
)

// Endpoint holds the connection data that the local endpoint of a stage writes to its own file, credentials included.
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
	ProxyPort   int    `json:"proxy_port"`
	ProxySecret string `json:"proxy_secret"`
	CloudBundle string `json:"cloud_bundle"`
}

// Trust returns the environment variables with which clients verify the endpoint's certificate.
func (e Endpoint) Trust() []string {
	return []string{"REQUESTS_CA_BUNDLE=" + e.CABundle, "AWS_CA_BUNDLE=" + e.CABundle}
}

// Cloud returns the environment variables that make clients of IBM Cloud Code Engine use the endpoint. The clients
// connect to the host names of IBM through the proxy of the endpoint. Their IAM API key is APIKey. Start the endpoint
// with FnRuntime("local", "start") first. Requests without a client library look like this:
//
//	transport := &http.Transport{Proxy: http.ProxyURL(proxy), TLSClientConfig: &tls.Config{RootCAs: cloudBundle}}
//	POST https://iam.cloud.ibm.com/identity/token, or Authorization: Bearer <Token> without that request
//	GET  https://api.us-south.codeengine.cloud.ibm.com/v2/projects
func (e Endpoint) Cloud() []string {
	return []string{
		fmt.Sprintf("HTTPS_PROXY=http://fn-runtime:%s@127.0.0.1:%d", e.ProxySecret, e.ProxyPort), "NO_PROXY=127.0.0.1,localhost",
		"REQUESTS_CA_BUNDLE=" + e.CloudBundle, "AWS_CA_BUNDLE=" + e.CloudBundle,
	}
}

// LocalDir returns the state directory of the stage's local endpoint.
func (s *Stage) LocalDir() string {
	return filepath.Join(s.Home, ".bluemix", "plugins", "fn-runtime", "local")
}

// Endpoint reads the file that the local endpoint writes for its own user.
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

// Requests reads the local endpoint's request log. It fails the test if the log is empty, because the test must have
// sent requests.
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
