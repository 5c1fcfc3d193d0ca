package harness

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// EndpointClient sends single requests to a local endpoint with the credentials of its user.
type EndpointClient struct {
	Endpoint
	client *http.Client
}

// NewClient returns a client of the stage's local endpoint. It uses TLS and trusts only the endpoint's own authority.
func (s *Stage) NewClient(t testing.TB) *EndpointClient {
	t.Helper()
	e := s.Endpoint()
	ca, err := os.ReadFile(e.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(ca) {
		t.Fatalf("%s does not contain a certificate", e.CAFile)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, MaxIdleConnsPerHost: 32}
	t.Cleanup(transport.CloseIdleConnections)
	return &EndpointClient{Endpoint: e, client: &http.Client{Timeout: 2 * time.Minute, Transport: transport}}
}

// Do sends one request with the token and returns status and body. The status is 0 if the response was incomplete or
// missing.
func (e *EndpointClient) Do(method, path, body string) (int, []byte) {
	req, err := http.NewRequest(method, e.Endpoint.Endpoint+path, strings.NewReader(body))
	if err != nil {
		return 0, nil
	}
	req.Header.Set("Authorization", "Bearer "+e.Token)
	if strings.HasPrefix(path, "/api/") {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := e.client.Do(req)
	if err != nil {
		return 0, nil
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, nil
	}
	return resp.StatusCode, data
}

// API returns a path in the endpoint's own namespace. rest begins with a slash.
func (e *EndpointClient) API(rest string) string { return "/api/v1/namespaces/" + e.NamespaceID + rest }
