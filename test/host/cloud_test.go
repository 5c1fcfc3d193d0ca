package host

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// cloud imitates IBM Cloud: a proxy that receives the requests for all host names. It serves TLS with a certificate of
// a separate authority and records the requests by host.
type cloud struct {
	*httptest.Server
	caFile  string
	expired bool          // refuse all tokens but the new one
	hang    chan struct{} // if set, it is notified of the first request, which gets no response

	life     context.Context // canceled at the end of the test
	mu       sync.Mutex
	requests []string // "METHOD host/path"
	tokens   map[string]bool
	bearers  map[string]bool // hosts that received a token
	refresh  int
}

// jwt returns an unsigned access token that expires at the given time.
func jwt(end time.Time) string {
	part := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	return part(`{"alg":"none"}`) + "." + part(fmt.Sprintf(`{"exp":%d,"iat":1}`, end.Unix())) + ".signature"
}

func newCloud(t *testing.T) *cloud {
	t.Helper()
	c := &cloud{tokens: map[string]bool{}, bearers: map[string]bool{}, life: t.Context()}
	certificate, ca := authority(t)
	c.caFile = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(c.caFile, ca, 0o600); err != nil {
		t.Fatal(err)
	}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect {
			http.Error(w, "only CONNECT", http.StatusMethodNotAllowed)
			return
		}
		c.tunnel(w, r, certificate)
	}))
	t.Cleanup(c.Close)
	return c
}

// tunnel responds to the requests inside one CONNECT.
func (c *cloud) tunnel(w http.ResponseWriter, r *http.Request, certificate tls.Certificate) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	_, _ = conn.Write([]byte("HTTP/1.1 200 Connection established\r\n\r\n"))
	secure := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: []string{"http/1.1"}})
	host, _, _ := net.SplitHostPort(r.Host)
	reader := bufio.NewReader(secure)
	for {
		req, err := http.ReadRequest(reader)
		if err != nil {
			return
		}
		req = req.WithContext(c.life)
		req.Host = host
		rec := httptest.NewRecorder()
		c.handle(rec, req)
		resp := rec.Result()
		resp.ContentLength, resp.Request = int64(rec.Body.Len()), req // a response to HEAD has no body
		if resp.Write(secure) != nil {
			return
		}
	}
}

func (c *cloud) handle(w http.ResponseWriter, r *http.Request) {
	if c.hang != nil {
		select {
		case c.hang <- struct{}{}:
		default:
		}
		<-r.Context().Done()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requests = append(c.requests, r.Method+" "+r.Host+r.URL.Path)
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	if token != "" {
		c.bearers[r.Host] = true
	}
	w.Header().Set("Content-Type", "application/json")
	switch {
	case strings.Contains(r.Host, "iam.") && r.URL.Path == "/identity/token":
		if r.FormValue("refresh_token") != "refresh-1" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		c.refresh++
		fmt.Fprintf(w, `{"access_token":%q,"refresh_token":"refresh-2","token_type":"Bearer","expires_in":3600,"expiration":%d}`, c.fresh(), time.Now().Add(time.Hour).Unix())
	case strings.Contains(r.Host, "functions."):
		c.tokens[token] = true
		if c.expired && token != c.fresh() {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, `{"error":"The supplied authentication is invalid","code":"x"}`)
			return
		}
		switch {
		case strings.HasSuffix(r.URL.Path, "/namespaces"):
			fmt.Fprint(w, `{"limit":200,"offset":0,"total_count":1,"namespaces":[{"id":"guid-1","name":"space"}]}`)
		case strings.Contains(r.URL.Path, "/actions/"):
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, `{"error":"The requested resource does not exist.","code":"x"}`)
		default:
			fmt.Fprint(w, `[]`)
		}
	case strings.Contains(r.Host, "resource-controller."):
		if r.FormValue("account_id") != "account" || token == "" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		fmt.Fprint(w, `{"resources":[{"id":"team-id","name":"Team"}]}`)
	default: // the object store, which has an empty bucket
		w.Header().Set("Content-Type", "application/xml")
		fmt.Fprint(w, `<ListBucketResult><Name>b</Name><IsTruncated>false</IsTruncated></ListBucketResult>`)
	}
}

// fresh returns the token that a refresh issues. It is the same for the lifetime of the cloud.
func (c *cloud) fresh() string { return jwt(time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)) }

// authority returns a certificate for IBM Cloud's host names, and the authority that signed it.
func authority(t *testing.T) (tls.Certificate, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		DNSNames: []string{
			"iam.cloud.ibm.com", "resource-controller.cloud.ibm.com", "private.us-south.iam.cloud.ibm.com", "*.functions.cloud.ibm.com", "private.us-south.functions.cloud.ibm.com", "faas.invalid",
			"*.cloud-object-storage.appdomain.cloud", "*.us-south.cloud-object-storage.appdomain.cloud", "*.private.us-south.cloud-object-storage.appdomain.cloud",
			"s3.us-south.cloud-object-storage.appdomain.cloud", "*.s3.us-south.cloud-object-storage.appdomain.cloud", "s3.private.us-south.cloud-object-storage.appdomain.cloud",
			"*.us-south.codeengine.appdomain.cloud", "*.us-south.containers.appdomain.cloud",
		},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}
