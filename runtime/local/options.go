// Package local implements the local endpoint: OpenWhisk's API, the Code Engine API, an S3 store and an invoker for
// actions, all on the loopback interface of this machine.
//
// It manages the endpoint process (start, serve, stop, status, logs), its listeners, credentials, certificates and
// files, and it checks every request before an API serves it. It does not contain the APIs (packages rest, codeengine
// and s3), their stored data (package state) or the execution of actions (package invoker). Importing packages do not
// depend on its internals.
package local

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"fn-runtime/runtime/local/internal/rest"
	"fn-runtime/runtime/local/invoke"
)

// Options configures the endpoint. Unless noted otherwise, the zero value of a field means the value of the last start,
// or the default at the first start.
type Options struct {
	Dir        string // directory of the endpoint's state; created with mode 0700
	Executable string // path of this program, which Start runs in the background
	// Python is the interpreter for actions that do not specify one: a path, a name, or a version such as "3.11".
	Python      string
	Invoker     string        // "process", "docker" or "auto"; default "process"
	Port        int           // port of the OpenWhisk API and the S3 store, with TLS
	S3Port      int           // additional port of the S3 store without TLS; 0 means none
	IdleTimeout time.Duration // time without requests and activations after which the endpoint stops; 0 means never
	// MaxStorageMB limits the total size of the objects in the store; 0 means 32 GiB. It applies until the endpoint stops.
	MaxStorageMB int
	// MemoryMB limits the sum of the memory limits of running and warm actions; 0 means three quarters of the machine's
	// memory.
	MemoryMB int
	Version  string // version of the plug-in
	// Wait is how long the endpoint waits for a blocking invocation before it responds with 202; 0 means OpenWhisk's 60 s.
	Wait time.Duration
	// NewInvoker creates the invoker. If it is nil, the endpoint creates an invoker of the kind that Invoker specifies.
	NewInvoker func(ctx context.Context, s InvokerSetup) (invoke.Invoker, error)
}

// The limits of an action, as in IBM Cloud Functions.
const (
	MinMemoryMB = rest.MinMemoryMB
	MaxMemoryMB = rest.MaxMemoryMB
	MaxTimeoutS = rest.MaxTimeoutMS / 1000
)

// Info describes an endpoint to its clients. It contains secrets. String omits them; do not print an Info in any other
// way.
type Info struct {
	PID         int    `json:"pid"`                    // 0 if the endpoint was stopped
	ProcessMark string `json:"process_mark,omitempty"` // see processMark
	Endpoint    string `json:"endpoint"`               // "https://127.0.0.1:port", without /api/v1; also the S3 store with TLS
	S3Endpoint  string `json:"s3_endpoint"`            // URL of the store without TLS if S3Port is set, otherwise Endpoint
	Port        int    `json:"port"`
	S3Port      int    `json:"s3_port,omitempty"` // port of the store without TLS; 0 means none
	Namespace   string `json:"namespace"`
	NamespaceID string `json:"namespace_id"`
	APIKey      string `json:"api_key"` // "uuid:key" for Basic authentication
	Token       string `json:"token"`   // bearer token
	AccessKey   string `json:"access_key"`
	SecretKey   string `json:"secret_key"`
	CAFile      string `json:"ca_file"`   // the endpoint's CA, PEM
	CABundle    string `json:"ca_bundle"` // the system's CAs and the endpoint's CA, for REQUESTS_CA_BUNDLE
	// ProxyPort and ProxySecret are used to reach the Code Engine API, see Proxy. CloudBundle contains the CAs of CABundle
	// and the CA for IBM's host names.
	ProxyPort   int    `json:"proxy_port"`
	ProxySecret string `json:"proxy_secret"`
	CloudBundle string `json:"cloud_bundle"`
	Bucket      string `json:"bucket"` // created at the first start
	Python      string `json:"python"`
	Invoker     string `json:"invoker"`   // "process" or "docker"
	MemoryMB    int    `json:"memory_mb"` // maximum sum of the memory limits of all workers
	// InvokerRequested is the invoker that the last start requested. "auto" is resolved again at each start.
	InvokerRequested string   `json:"invoker_asked"`
	Requested        settings `json:"asked"`
	// Keys is the format of the credentials, see keysFormat.
	Keys      int       `json:"keys"`
	StartedAt time.Time `json:"started_at"`
	Version   string    `json:"version"`
	Running   bool      `json:"-"` // the process responds
	Hangs     bool      `json:"-"` // the process exists but does not respond
}

// ports returns the ports on which the endpoint listens. The port of the store without TLS is the last one.
func (i Info) ports() []int {
	if i.S3Port == 0 {
		return []int{i.Port}
	}
	return []int{i.Port, i.S3Port}
}

// proxyPrefix is the prefix of the proxy URL of every endpoint.
const proxyPrefix = "http://" + proxyUser + ":"

// Proxy returns the URL of the proxy for clients of Code Engine, as the value of HTTPS_PROXY. Through the proxy,
// clients reach the endpoint's Code Engine API and IAM token API at IBM's host names. Clients must also set
// NO_PROXY=127.0.0.1 and REQUESTS_CA_BUNDLE to CloudBundle. The IAM token API accepts APIKey. The URL contains a
// secret.
func (i Info) Proxy() string {
	return proxyPrefix + i.ProxySecret + "@127.0.0.1:" + strconv.Itoa(i.ProxyPort)
}

// String returns a description of the endpoint without secrets.
func (i Info) String() string {
	state := "stopped"
	switch {
	case i.Hangs:
		state = fmt.Sprintf("process %d hangs", i.PID)
	case i.Running:
		state = fmt.Sprintf("running as process %d", i.PID)
	}
	return fmt.Sprintf("local endpoint %s, %s", i.Endpoint, state)
}

// GoString returns String, so that %#v does not print secrets.
func (i Info) GoString() string { return i.String() }

// Format writes String for every verb, so that %+v does not print the fields.
func (i Info) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(i.String())) }

// LogValue returns String, for slog.
func (i Info) LogValue() slog.Value { return slog.StringValue(i.String()) }
