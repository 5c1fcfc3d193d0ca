// Package cloud provides a small IBM Cloud on the loopback interface, for tests: an OpenWhisk API, a Code Engine API,
// an S3 store, IAM and a registry. Each service is behind a proxy that records requests and can inject faults. Tests
// can read the state of the services directly and compare it with the output of commands.
//
// The package contains the servers, their state as text, and the configuration of clients. It does not contain
// expectations of tests.
package cloud

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"

	"fn-runtime/runtime/local/internal/rest"
	"fn-runtime/runtime/local/internal/s3"
	"fn-runtime/runtime/local/internal/state"
	"fn-runtime/runtime/local/invoke"
	"fn-runtime/test/proxy"
)

// The credentials of every cloud. Their values are unique, so that a test can search for them.
const (
	APIKey      = "5eC2e701-aaaa-4bbb-8ccc-0123456789ab:sEcReT-openwhisk-key-0123456789"
	Token       = "sEcReT-iam-access-token-0123456789"
	IAMKey      = "abCd-sEcReT-iam-api-key-0123456789"
	accessKey   = "FNAAAAAAAAAAAAAAAAAA"
	SecretKey   = "sEcReT-hmac-secret-0123456789"
	namespaceID = "11111111-2222-3333-4444-555555555555"
	Bucket      = "lithops-bucket"
)

// Object is an object of the S3 store.
type Object = state.Object

// Cloud is one running cloud.
type Cloud struct {
	DB      *state.DB
	CAFile  string // CA of the server certificates
	Proxies map[string]*proxy.Proxy
	// Metadata returns a runtime's response to a metadata request. If it is nil, runtimes have Python 3.11 and Lithops
	// 3.7.0.
	Metadata  func(invoke.Invocation) (invoke.Outcome, error)
	closers   []func()
	registry  http.Handler
	tunnelURL string // URL of the HTTPS proxy through which clients reach Code Engine
}

// The names of the services, which are the keys of Proxies.
const (
	OpenWhisk  = "openwhisk"
	CodeEngine = "codeengine"
	S3         = "s3"
	IAM        = "iam"
	Registry   = "registry"
)

// wrap returns a handler that a test places in front of a service.
type wrap func(service string, next http.Handler) http.Handler

// Open starts a cloud that stores its state in dir. wrap may be nil.
func Open(t testing.TB, dir string, wrap wrap) *Cloud {
	t.Helper()
	c := &Cloud{Proxies: map[string]*proxy.Proxy{}, registry: registry.New(registry.Logger(log.New(io.Discard, "", 0)))}
	t.Cleanup(c.Close)
	db, err := state.Open(dir, state.Limits{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	c.DB = db
	c.closers = append(c.closers, func() { _ = db.Close() })
	if err := errors.Join(
		db.CreateNamespace(state.Namespace{ID: namespaceID, Name: rest.DefaultNamespace}), db.CreateBucket(Bucket)); err != nil {
		t.Fatal(err)
	}
	api := rest.New(rest.Config{DB: db, Invoker: worker{c}, APIKey: APIKey, Token: Token, NamespaceID: namespaceID, APIHost: "https://127.0.0.1"})
	c.closers = append(c.closers, func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		api.Close(ctx)
	})
	jobs, err := c.openJobs()
	if err != nil {
		t.Fatal(err)
	}
	c.CAFile = filepath.Join(dir, "ca.pem")
	cert, err := certificate(c.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	store := s3.Handler(db, s3.Keys{AccessKey: accessKey, SecretKey: SecretKey, Token: Token}, "", nil)
	for service, handler := range map[string]http.Handler{
		OpenWhisk:  api,
		CodeEngine: jobs,
		S3: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.TLS = &tls.ConnectionState{} // the store accepts tokens only over TLS, which the client uses to the proxy
			store.ServeHTTP(w, r)
		}),
		IAM:      http.HandlerFunc(exchange),
		Registry: c.registry,
	} {
		if wrap != nil {
			handler = wrap(service, handler)
		}
		server := httptest.NewServer(handler)
		serverCert := cert
		if service == Registry || service == IAM { // clients use HTTP for loopback registries and for this session's IAM
			serverCert = nil
		}
		p, err := proxy.New(server.URL, serverCert)
		if err != nil {
			t.Fatal(err)
		}
		c.Proxies[service] = p
		c.closers = append(c.closers, server.Close, server.CloseClientConnections, p.Close)
	}
	tunnel := c.tunnel()
	c.tunnelURL = tunnel.URL
	c.closers = append(c.closers, tunnel.Close)
	return c
}

// certificate creates a self-signed server certificate for this machine and writes it to file.
func certificate(file string) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}, DNSNames: []string{jobsHost},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, os.WriteFile(file, text, 0o600)
}

// Close stops the services. The state remains in its directory.
func (c *Cloud) Close() {
	for _, closeService := range slices.Backward(c.closers) {
		closeService()
	}
	c.closers, c.DB, c.Proxies = nil, nil, nil
}

// URL returns the URL at which a client reaches a service. It is the URL of the service's proxy.
func (c *Cloud) URL(service string) string { return c.Proxies[service].URL }

// Host returns the host and port of a service.
func (c *Cloud) Host(service string) string {
	_, host, _ := strings.Cut(c.URL(service), "://")
	return host
}

// exchange serves the token API of IAM.
func exchange(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if r.URL.Path != "/identity/token" || r.FormValue("apikey") != IAMKey {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"errorMessage":"Provided API key could not be found."}`)
		return
	}
	fmt.Fprintf(w, `{"access_token":%q,"expires_in":3600,"expiration":%d}`, Token, time.Now().Add(time.Hour).Unix())
}

// worker is the invoker of a cloud. Each of its actions returns the metadata of its runtime.
type worker struct{ *Cloud }

func (worker) Close(context.Context) error { return nil }

func (w worker) Run(_ context.Context, inv invoke.Invocation) (invoke.Outcome, error) {
	if w.Metadata != nil {
		return w.Metadata(inv)
	}
	return invoke.Outcome{Status: invoke.Success, RunMS: 1, Cold: true,
		Result: json.RawMessage(`{"preinstalls":[["os",false],["numpy",true]],"python_version":"3.11","lithops_version":"3.7.0"}`)}, nil
}

// privateS3 is the endpoint through which jobs inside IBM Cloud reach the store. Lithops requires it in the
// configuration, but nothing connects to it here.
const privateS3 = "https://s3.private.us-south.cloud-object-storage.appdomain.cloud"

// ClientConfig returns a Lithops configuration for the cloud: with backend "openwhisk" and MinIO keys, with backend
// "ibm_cf" and an IAM key for all services, or with backend "code_engine" and both.
func (c *Cloud) ClientConfig(backend string) string {
	if backend == "code_engine" {
		return fmt.Sprintf(`lithops: {backend: code_engine, storage: minio}
ibm: {iam_api_key: %s, resource_group_id: group}
code_engine: {region: %s}
minio: {endpoint: %q, access_key_id: %s, secret_access_key: %s, storage_bucket: %s}
`, IAMKey, jobsRegion, c.URL(S3), accessKey, SecretKey, Bucket)
	}
	if backend == "ibm_cf" {
		return fmt.Sprintf(`lithops: {backend: ibm_cf, storage: ibm_cos}
ibm: {iam_api_key: %s, resource_group_id: group}
ibm_cf: {endpoint: %q, namespace: %s, region: us-south}
ibm_cos: {endpoint: %q, private_endpoint: %q, storage_bucket: %s, service_instance_id: instance, region: us-south}
`, IAMKey, c.URL(OpenWhisk), rest.DefaultNamespace, c.URL(S3), privateS3, Bucket)
	}
	return fmt.Sprintf(`lithops: {backend: openwhisk, storage: minio}
openwhisk: {endpoint: %q, namespace: %s, api_key: %q, insecure: true}
minio: {endpoint: %q, access_key_id: %s, secret_access_key: %s, storage_bucket: %s}
`, c.URL(OpenWhisk), rest.DefaultNamespace, APIKey, c.URL(S3), accessKey, SecretKey, Bucket)
}
