package local

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"fn-runtime/runtime/runtimetest"
)

// The guard admits authenticated requests for loopback names and rejects all others.
func TestGuardRejectsForeignRequests(t *testing.T) {
	o := options(t)
	o.S3Port = runtimetest.FreePort(t)
	i := mustStart(t, o)
	if want := "http://127.0.0.1:" + strconv.Itoa(o.S3Port); i.S3Endpoint != want {
		t.Errorf("the store without TLS is at %s, want %s", i.S3Endpoint, want)
	}
	client := httpClient(t, i)
	keeping := client.Transport.(*http.Transport)
	keeping.DisableKeepAlives = false
	defer keeping.CloseIdleConnections()
	for _, c := range []struct {
		name, url, host, origin, token string
		status                         int
	}{
		{"valid", i.Endpoint + "/api/v1/namespaces", "", "", i.Token, 200},
		{"localhost", "https://localhost:" + strconv.Itoa(i.Port) + "/api/v1/namespaces", "", "", i.Token, 200},
		{"rebinding", i.Endpoint + "/api/v1/namespaces", "evil.example:443", "", i.Token, 421},
		{"rebinding S3", i.S3Endpoint + "/", "evil.example", "", i.Token, 421},
		{"rebinding with similar name", i.Endpoint + "/api/v1/namespaces", "127.0.0.1.evil.example", "", i.Token, 421},
		{"browser", i.Endpoint + "/api/v1/namespaces", "", "https://evil.example", i.Token, 403},
		{"wrong token", i.Endpoint + "/api/v1/namespaces", "", "", "x", 401},
		{"wrong token for S3", i.Endpoint + "/lithops-local", "", "", "x", 403},
		{"token for S3 without TLS", i.S3Endpoint + "/lithops-local", "", "", i.Token, 403},
		{"wrong token for health", i.Endpoint + "/_fn-runtime/health", "", "", "x", 401},
		{"API without TLS", i.S3Endpoint + "/api/v1/namespaces", "", "", i.Token, 403},
	} {
		req, _ := http.NewRequest("GET", c.url, nil)
		req.Host = c.host
		if c.origin != "" {
			req.Header.Set("Origin", c.origin)
		}
		req.Header.Set("Authorization", "Bearer "+c.token)
		resp, err := client.Do(req)
		if err != nil {
			t.Error(c.name, err)
			continue
		}
		_ = resp.Body.Close()
		if resp.StatusCode != c.status {
			t.Errorf("%s: %d, want %d", c.name, resp.StatusCode, c.status)
		}
		if rejected := c.status != 200; resp.Close != rejected {
			t.Errorf("%s: the connection is closed: %v, want %v", c.name, resp.Close, rejected)
		}
	}
	req, _ := http.NewRequest("GET", i.Endpoint+"/api/v1/namespaces", nil)
	req.Header.Set("X-Long", strings.Repeat("x", 2*maxHeader))
	if resp, err := httpClient(t, i).Do(req); err == nil {
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
			t.Error(resp.Status)
		}
	}
}

func TestCertificatesAreRenewed(t *testing.T) {
	dir := t.TempDir()
	now := time.Now()
	clock := func() time.Time { return now }
	c, err := newCerts(dir, clock, localIssuance())
	if err != nil {
		t.Fatal(err)
	}
	first, _ := c.get(nil)
	now = now.Add(certLifetime - renewBefore + time.Hour)
	second, err := c.get(nil)
	if err != nil || first.Leaf.SerialNumber.Cmp(second.Leaf.SerialNumber) == 0 {
		t.Fatal("the certificate is not renewed", err)
	}
	c2, err := newCerts(dir, clock, localIssuance())
	if err != nil {
		t.Fatal(err)
	}
	if third, _ := c2.get(nil); third.Leaf.SerialNumber.Cmp(second.Leaf.SerialNumber) != 0 {
		t.Error("a valid certificate is replaced")
	}
	ca, key, err := c2.authority()
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(ca)
	for _, name := range []string{"localhost", "127.0.0.1", "::1"} {
		if _, err := second.Leaf.Verify(x509.VerifyOptions{Roots: pool, DNSName: name, CurrentTime: now}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A stolen CA key cannot be used to issue certificates for other hosts.
	evil := &x509.Certificate{DNSNames: []string{"cloud.ibm.com"}}
	if _, err := c2.issue(evil, ca, key, time.Hour, "evil.pem", "evil-key.pem"); err != nil {
		t.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(c2.path("evil.pem"), c2.path("evil-key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pair.Leaf.Verify(x509.VerifyOptions{Roots: pool, DNSName: "cloud.ibm.com", CurrentTime: now}); err == nil {
		t.Error("the CA can issue certificates for other hosts")
	}
}
