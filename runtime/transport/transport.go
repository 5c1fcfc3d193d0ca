// Package transport implements the http.RoundTripper that every SDK of this program uses. It is a chain of small round
// trippers, each with one task. From the outside in:
//
//	explain       converts errors of Go's network packages to faults with readable texts
//	guard         refuses requests without TLS, to another host, and redirects to another host
//	webPage       detects the HTML page of a gateway instead of an API's response
//	retry         retries requests that are safe to retry, within a deadline and the command's budget
//	limiter       delays requests to throttling hosts and limits the requests in flight per host
//	auth          adds the credentials to the request, and renews a token once
//	redactErrors  removes echoed secrets from error responses
//	observe       reports each request and writes the trace
//	readBody      reads the response body with limits on size and time, so that a hang or a truncation is an error
//
// The package contains behavior that applies to any HTTP API. It does not contain anything specific to OpenWhisk, S3 or
// a registry. Responses are held in memory (limited by Options.MaxBody), so it is meant for APIs, not for streams.
package transport

import (
	"io"
	"net/http"
	"time"
)

// Defaults of Options.
const (
	defaultTimeout     = 30 * time.Second
	defaultDeadline    = 90 * time.Second
	defaultMaxBody     = 32 << 20
	defaultConcurrency = 64
)

// Options configures a transport. The zero value sends requests unchanged, with retries and all limits.
type Options struct {
	// Auth is added to requests to Origin. Requests to any other host are then refused.
	Auth Auth
	// Origin is the URL whose scheme and host receive the credentials. It is required if Auth is set.
	Origin string

	UserAgent string
	// Timeout limits each period without progress: connecting, sending, waiting for the header, and waiting between two
	// reads. The default is 30 s. Call.Timeout overrides it for one call.
	Timeout time.Duration
	// Deadline limits the time during which a request is retried, and the time for reading a body if it is longer than
	// Timeout. The default is 90 s.
	Deadline time.Duration
	// Budget limits the retries of all transports that share it: those of one command. If it is nil, only Deadline
	// applies.
	Budget *Budget
	// MaxBody limits a response body, in bytes after decompression. The default is 32 MiB.
	MaxBody int64
	// Concurrency limits the requests in flight per host. The default is 64. A 429 halves the limit, and successful
	// responses raise it again.
	Concurrency int

	// Proxy is the URL of the proxy for hosts other than this machine, including its user and password. If it is empty,
	// the environment determines the proxy.
	Proxy string
	// SkipTLSVerify accepts any certificate.
	SkipTLSVerify bool
	// CAs are PEM certificates that are trusted in addition to the system's, such as that of the local endpoint.
	CAs [][]byte
	// CAFiles are PEM bundles, or directories of certificates, that are trusted in addition to the system's, such as
	// the values of REQUESTS_CA_BUNDLE and AWS_CA_BUNDLE. Empty names are skipped. If a file cannot be read, the first
	// request over TLS fails.
	CAFiles []string

	// Trace receives each request and response, redacted. It may be nil.
	Trace io.Writer
	// Secrets never appear in the trace.
	Secrets []string
	// OnRetry is called before each wait for a retry. It may be called concurrently.
	OnRetry func(host, reason string, wait time.Duration)
	// OnRequest is called after each request that was sent, including retries. It may be called concurrently.
	OnRequest func(Exchange)
	// Base sends the prepared requests. If it is nil, Go's http.Transport is used, with the proxies of the environment.
	Base http.RoundTripper
}

// Exchange describes one request that was sent, and its result.
type Exchange struct {
	Method string
	Host   string
	Path   string
	Status int // 0 if there was no response
	Err    error
	Took   time.Duration
}

// New creates a transport. Share one transport per set of credentials, because it holds connections and the state of
// hosts.
func New(o Options) http.RoundTripper {
	o = o.withDefaults()
	base := o.Base
	if base == nil {
		base = newBase(o)
	}
	origin, originErr := parseOrigin(o)
	hosts := newHosts(o.Concurrency)
	var rt http.RoundTripper = &readBody{next: base, timeout: o.Timeout, bodyTime: max(o.Timeout, o.Deadline), maxBody: o.MaxBody}
	rt = &observe{next: rt, onRequest: o.OnRequest, trace: newTracer(o)}
	rt = &redactErrors{next: rt, redactor: newRedactor(o)}
	rt = o.Auth.wrap(rt)
	rt = &limiter{next: rt, hosts: hosts}
	rt = &retry{next: rt, hosts: hosts, deadline: o.Deadline, budget: o.Budget, onRetry: o.OnRetry}
	rt = &webPage{next: rt}
	rt = &guard{next: rt, origin: origin, err: originErr, userAgent: o.UserAgent}
	return &explain{next: rt}
}

func (o Options) withDefaults() Options {
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if o.Deadline <= 0 {
		o.Deadline = defaultDeadline
	}
	if o.MaxBody <= 0 {
		o.MaxBody = defaultMaxBody
	}
	if o.Concurrency <= 0 {
		o.Concurrency = defaultConcurrency
	}
	return o
}
