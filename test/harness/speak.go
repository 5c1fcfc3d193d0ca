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

// Speaker sends single requests to a local endpoint, as its own user.
type Speaker struct {
	Endpoint
	client *http.Client
}

// Speak reaches the local endpoint of the stage over TLS, trusting the endpoint's own authority alone.
func (s *Stage) Speak(t testing.TB) *Speaker {
	t.Helper()
	e := s.Endpoint()
	ca, err := os.ReadFile(e.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(ca) {
		t.Fatalf("%s holds no certificate", e.CAFile)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, MaxIdleConnsPerHost: 32}
	t.Cleanup(transport.CloseIdleConnections)
	return &Speaker{Endpoint: e, client: &http.Client{Timeout: 2 * time.Minute, Transport: transport}}
}

// Do sends one request with the token and gives status and body; status 0 when there was no whole answer.
func (e *Speaker) Do(method, path, body string) (int, []byte) {
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

// API is the path of the endpoint's own namespace; what follows it begins with a slash.
func (e *Speaker) API(rest string) string { return "/api/v1/namespaces/" + e.NamespaceID + rest }
