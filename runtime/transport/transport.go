// Package transport is the one http.RoundTripper that every SDK of this program sends its requests through. It is
// composed of small ones, each of which does one thing to a request or its answer. From the outside in:
//
//	explain   turns what Go's network packages say into faults that people understand
//	guard     refuses to send anything without TLS, to another host, or along a redirect to another host
//	webPage   recognises the HTML of a gateway in the place of an API's answer
//	retry     repeats what is safe to repeat, within a deadline and the command's budget
//	gate      holds back what a host asked to hold back, and bounds the requests in flight by host
//	auth      puts credentials on the request, renews a token once
//	discreet  takes secrets that a server repeats out of its refusals
//	observe   counts, and writes the trace
//	whole     reads the answer to its end: bounded in size and time, so that a hang or a cut ends as an error
//
// What may go in: what holds for any HTTP API. What may not: knowledge of OpenWhisk, S3 or a registry. Answers are held
// in memory (Options.MaxBody bounds them): this is for APIs, not for streams.
package transport

import (
	"io"
	"net/http"
	"time"
)

// The values that stand in for what Options leaves out.
const (
	defaultTimeout     = 30 * time.Second
	defaultDeadline    = 90 * time.Second
	defaultMaxBody     = 32 << 20
	defaultConcurrency = 64
)

// Options says how to send requests. Its zero value sends them as they come, with retries and all bounds.
type Options struct {
	// Auth puts credentials on requests to Origin. Requests to any other host are then refused.
	Auth Auth
	// Origin is the URL whose scheme and host receive the credentials. It must be set when Auth is.
	Origin string

	UserAgent string
	// Timeout bounds each time without progress: connecting, sending, waiting for the header, between two reads.
	// 0 is 30 s. Call.Timeout overrides it for one call.
	Timeout time.Duration
	// Deadline bounds the time in which a request is repeated, and the time that a body may take, where it is longer than
	// Timeout. 0 is 90 s.
	Deadline time.Duration
	// Budget bounds the repetitions of everything that shares it: the requests of one command. Nil: no bound but Deadline.
	Budget *Budget
	// MaxBody bounds an answer, in bytes after decompression. 0 is 32 MiB.
	MaxBody int64
	// Concurrency bounds the requests in flight per host. 0 is 64. A 429 halves it, success raises it again.
	Concurrency int

	// Proxy is the URL of the proxy for hosts other than this machine, with its user and password; "" takes that of the
	// environment.
	Proxy string
	// SkipTLSVerify accepts any certificate.
	SkipTLSVerify bool
	// CAs are certificates in PEM that are trusted beside the system's, such as the local endpoint's own.
	CAs [][]byte
	// CAFiles are bundles in PEM that are trusted beside the system's: the values of SSL_CERT_FILE and
	// REQUESTS_CA_BUNDLE. Empty names are skipped; one that cannot be read fails the first request over TLS.
	CAFiles []string

	// Trace receives each request and answer, redacted. Nil: none.
	Trace io.Writer
	// Secrets are never written to the trace, wherever they may turn up.
	Secrets []string
	// OnRetry is told about each wait before a repetition. It may be called from several goroutines.
	OnRetry func(host, reason string, wait time.Duration)
	// OnRequest is told about each request that was really sent, repetitions too. It may be called from several
	// goroutines.
	OnRequest func(Exchange)
	// Base sends what the others have prepared. Nil: Go's own transport with proxies from the environment.
	Base http.RoundTripper
}

// Exchange is one request as it was sent, with what came back.
type Exchange struct {
	Method string
	Host   string
	Path   string
	Status int // 0 when there was no answer
	Err    error
	Took   time.Duration
}

// New makes the transport. Share one per set of credentials: connections and what is known about hosts are kept in it.
func New(o Options) http.RoundTripper {
	o = o.withDefaults()
	base := o.Base
	if base == nil {
		base = newBase(o)
	}
	origin, originErr := parseOrigin(o)
	hosts := newHosts(o.Concurrency)
	var rt http.RoundTripper = &whole{next: base, timeout: o.Timeout, bodyTime: max(o.Timeout, o.Deadline), maxBody: o.MaxBody}
	rt = &observe{next: rt, onRequest: o.OnRequest, trace: newTracer(o)}
	rt = &discreet{next: rt, hider: newHider(o)}
	rt = o.Auth.wrap(rt)
	rt = &gate{next: rt, hosts: hosts}
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
