// Package local is the embedded endpoint: OpenWhisk's API, an S3 store and what runs actions, all on this machine's
// loopback interface. Here are its life (start, serve, stop, status, logs) and the guard before both protocols.
//
// What may go in: sockets, credentials, certificates, the process and its files. What may not: the protocols
// (rest, s3), what they remember (state), how actions run (invoker). Nobody above knows how it works inside.
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

// Options say how the endpoint runs. The zero value of a field means: as before, or the default at the first start.
type Options struct {
	Dir        string // folder of its state; made with mode 0700
	Executable string // this program, to start the endpoint in the background with
	// Python is the interpreter of actions that name none: a path, a name, or a version such as "3.11".
	Python      string
	Invoker     string        // "process", "docker" or "auto"; at first "process"
	Port        int           // of the OpenWhisk API, with TLS
	S3Port      int           // of the S3 store without TLS, beside the one with TLS on Port; 0 none
	IdleTimeout time.Duration // the endpoint ends itself after so long without request or activation; 0 never
	// MaxStorageMB bounds the objects of the store together; 0 is 32 GiB. It holds until the endpoint ends.
	MaxStorageMB int
	MemoryMB     int    // bounds the memory limits of the actions that run or are kept warm together; 0 is three quarters of the machine's
	Version      string // of the plug-in
	// Wait is how long a blocking invocation waits before it is answered with 202; 0 is OpenWhisk's 60 s.
	Wait time.Duration
	// NewInvoker makes what runs the actions; nil takes the invoker that Invoker names.
	NewInvoker func(ctx context.Context, s InvokerSetup) (invoke.Invoker, error)
}

// The limits that the endpoint sets to an action: those of IBM Cloud Functions.
const (
	MinMemoryMB = rest.MinMemoryMB
	MaxMemoryMB = rest.MaxMemoryMB
	MaxTimeoutS = rest.MaxTimeoutMS / 1000
)

// Info is an endpoint as its clients see it. It holds secrets: String leaves them out, and nothing else may print it.
type Info struct {
	PID         int    `json:"pid"` // 0 when it was stopped
	ProcessMark string `json:"process_mark,omitempty"`
	Endpoint    string `json:"endpoint"`    // "https://127.0.0.1:port", without /api/v1; S3 with TLS is here too
	S3Endpoint  string `json:"s3_endpoint"` // of the store without TLS where S3Port is not 0, else Endpoint
	Port        int    `json:"port"`
	S3Port      int    `json:"s3_port,omitempty"` // of the store without TLS; 0 none
	Namespace   string `json:"namespace"`
	NamespaceID string `json:"namespace_id"`
	APIKey      string `json:"api_key"` // "uuid:key" for Basic
	Token       string `json:"token"`   // for Bearer
	AccessKey   string `json:"access_key"`
	SecretKey   string `json:"secret_key"`
	CAFile      string `json:"ca_file"`   // the endpoint's own authority, PEM
	CABundle    string `json:"ca_bundle"` // the system's authorities and the endpoint's: for REQUESTS_CA_BUNDLE
	// ProxyPort and ProxySecret are the way to Code Engine's API: see Proxy. CloudBundle is CABundle with the authority
	// that vouches for the names of IBM's hosts, and for nothing else.
	ProxyPort   int    `json:"proxy_port"`
	ProxySecret string `json:"proxy_secret"`
	CloudBundle string `json:"cloud_bundle"`
	Bucket      string `json:"bucket"` // exists from the first start on
	Python      string `json:"python"`
	Invoker     string `json:"invoker"`   // "process" or "docker"
	MemoryMB    int    `json:"memory_mb"` // of the actions together
	// InvokerAsked is what the last start asked for: auto chooses anew at each start.
	InvokerAsked string   `json:"invoker_asked"`
	Asked        settings `json:"asked"`
	// Keys is the format of the credentials: see identity.
	Keys      int       `json:"keys"`
	StartedAt time.Time `json:"started_at"`
	Version   string    `json:"version"`
	Running   bool      `json:"-"` // its process answers
	Hangs     bool      `json:"-"` // its process is there and does not answer
}

// ports returns the ports on which the endpoint listens, that of the store without TLS last.
func (i Info) ports() []int {
	if i.S3Port == 0 {
		return []int{i.Port}
	}
	return []int{i.Port, i.S3Port}
}

// proxyPrefix begins the address of every endpoint's proxy.
const proxyPrefix = "http://" + proxyUser + ":"

// Proxy is the address of the proxy behind which clients find Code Engine's API and IBM's token call at the names that
// these have: for HTTPS_PROXY, with NO_PROXY=127.0.0.1 and CloudBundle for REQUESTS_CA_BUNDLE. The API key of that
// token call is APIKey. It holds a secret.
func (i Info) Proxy() string {
	return proxyPrefix + i.ProxySecret + "@127.0.0.1:" + strconv.Itoa(i.ProxyPort)
}

// String names the endpoint without its secrets.
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

// GoString is String, so that %#v shows no secrets either.
func (i Info) GoString() string { return i.String() }

// Format is String for every verb: %+v must not reach the fields.
func (i Info) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(i.String())) }

// LogValue is String for slog.
func (i Info) LogValue() slog.Value { return slog.StringValue(i.String()) }
