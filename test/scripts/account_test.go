package scripts

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fn-runtime/runtime/runtimetest"
	"fn-runtime/test/harness"
	"fn-runtime/test/proxy"
)

// account is a local endpoint that imitates IBM Cloud Functions in one account.
type account struct {
	Key   string `json:"key"`   // the API key of the account
	Token string `json:"token"` // the token that a login with the key returns
	Proxy string `json:"proxy"`
	CA    string `json:"ca"`

	address  string // of the server that imitates IBM Cloud Functions
	stage    *harness.Stage
	endpoint harness.Endpoint
	asked    atomic.Int64 // requests with the account's own token
	refused  atomic.Int64
}

// open starts three servers: the endpoint, a TLS server in front of it that accepts the account's token and has a
// certificate for the host name of IBM Cloud Functions, and a proxy that connects to the TLS server.
func open(t *testing.T, name, venv string) *account {
	t.Helper()
	part := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	a := &account{
		Key:   strings.ToUpper(name[:4]) + "-secret-api-key-of-" + name,
		Token: part(`{"alg":"none"}`) + "." + part(fmt.Sprintf(`{"exp":%d,"iat":1,"name":%q}`, time.Now().Add(time.Hour).Unix(), name)) + ".x",
	}
	a.stage = harness.NewStage(t)
	a.stage.Env = []string{"VIRTUAL_ENV=" + venv}
	port := strconv.Itoa(runtimetest.FreePort(t))
	// Use the store without TLS, because the program does not trust the authority of the endpoint in this test.
	a.stage.FnRuntime("local", "start", "-q", "--s3-port", port, "--python", filepath.Join(venv, "bin", "python"))
	a.endpoint = a.stage.Endpoint()

	forward, err := proxy.New(a.endpoint.Endpoint, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(forward.Close)
	service := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+a.Token {
			a.refused.Add(1)
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, `{"error":"The supplied authentication is invalid","code":"x"}`)
			return
		}
		a.asked.Add(1)
		r.Host = strings.TrimPrefix(a.endpoint.Endpoint, "https://")
		r.Header.Set("Authorization", "Bearer "+a.endpoint.Token)
		forward.ServeHTTP(w, r)
	}))
	var certificate tls.Certificate
	certificate, a.CA = authority(t)
	service.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	service.StartTLS()
	t.Cleanup(service.Close)
	a.address = service.Listener.Addr().String()
	a.Proxy = tunnel(t, map[string]string{"us-south": a.address})
	return a
}

// tunnel starts a proxy that connects each region of IBM Cloud Functions to an address, and refuses all other hosts.
func tunnel(t *testing.T, regions map[string]string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		region, ok := strings.CutSuffix(r.Host, ".functions.cloud.ibm.com:443")
		if r.Method != http.MethodConnect || !ok || regions[region] == "" {
			http.Error(w, "nothing else is here", http.StatusForbidden)
			return
		}
		splice(w, regions[region])
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// splice responds to a CONNECT by connecting the client to the address.
func splice(w http.ResponseWriter, address string) {
	there, err := net.Dial("tcp", address)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer there.Close()
	here, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer here.Close()
	_, _ = io.WriteString(here, "HTTP/1.1 200 Connection established\r\n\r\n")
	go func() { _, _ = io.Copy(there, here); _ = there.Close() }()
	_, _ = io.Copy(here, there)
}

// authority creates a certificate for IBM Cloud Functions and returns the file of the authority that signed it.
func authority(t *testing.T) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		DNSNames: []string{"*.functions.cloud.ibm.com"},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, file
}
