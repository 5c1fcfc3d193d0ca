package connect

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/regular"
	"fn-runtime/runtime/site"
	"fn-runtime/runtime/transport"
)

// chooseEndpoint determines the region and endpoint of the compute service. It returns an error if the endpoint must
// not be used.
func (p *opening) chooseEndpoint(ctx context.Context) error {
	t := &p.target
	endpoint := p.compute.Endpoint
	if endpoint != "" { // check first: the region is derived from the endpoint, which may contain a password
		var err error
		if endpoint, err = p.clientEndpoint(ctx, endpoint); err != nil {
			return err
		}
	}
	if regions := lithops.Regions(p.compute.Backend); len(regions) > 0 {
		if p.compute.Region == "" && p.o.Host.Session != nil {
			p.compute.Region = p.o.Host.Session.Region
		}
		if p.compute.Region == "" {
			return fault.New(fault.Invalid, i18n.M("No region is set."),
				i18n.M("Target a region with 'ibmcloud target -r REGION', or specify one with '--region': {{.Regions}}.", "Regions", strings.Join(regions, ", ")))
		}
		if endpoint == "" {
			if !slices.Contains(regions, p.compute.Region) {
				return p.unknownRegion(regions)
			}
			endpoint = "https://" + strings.Replace(services[p.service()].public, "REGION", p.compute.Region, 1)
		}
		t.Region = p.compute.Region
	}
	if endpoint == "" {
		return p.compute.Validate(p.install.Version)
	}
	endpoint, err := p.privateEndpoint(endpoint, p.service())
	t.Endpoint, t.ResourceGroup = endpoint, p.compute.ResourceGroupID
	p.contract.Region = p.compute.Region
	return err
}

// service returns the IBM Cloud service of the backend.
func (p *opening) service() ibmService {
	if p.compute.Backend == lithops.CodeEngine {
		return codeEngine
	}
	return cloudFunctions
}

func (p *opening) unknownRegion(regions []string) error {
	reason := i18n.M("IBM Cloud Functions does not support region '{{.Region}}'.", "Region", p.compute.Region)
	if p.compute.Backend == lithops.CodeEngine {
		reason = i18n.M("The Lithops client does not support the Code Engine region '{{.Region}}'.", "Region", p.compute.Region)
	}
	return fault.New(fault.Invalid, reason, i18n.M("Use one of {{.Regions}}.", "Regions", strings.Join(regions, ", ")))
}

// clientEndpoint returns the endpoint as the Lithops client interprets the configured one. The client always uses
// TLS, even for http:// URLs, and appends the API path to the URL without removing an existing path
// (lithops/libs/openwhisk/client.py). A service on this machine without TLS is supported, but noTLS is set because
// the client cannot reach it.
func (p *opening) clientEndpoint(ctx context.Context, endpoint string) (string, error) {
	tlsOnly := strings.ReplaceAll(endpoint, "http:", "https:")
	if err := validateEndpoint(tlsOnly, i18n.M("compute service")); err != nil {
		return "", err
	}
	if u, err := url.Parse(tlsOnly); err == nil && (strings.HasSuffix(u.Path, "/") || strings.HasSuffix(u.Path, "/api/v1")) {
		return "", fault.New(fault.Invalid,
			i18n.M("The endpoint '{{.Endpoint}}' of the compute service ends in '{{.Path}}'. The Lithops client appends '/api/v1' to it, so Lithops jobs would hang.",
				"Endpoint", transport.ShownURL(endpoint), "Path", u.Path),
			i18n.M("Write it as https://HOST[:PORT] in the Lithops configuration, without a trailing slash."))
	}
	if tlsOnly == endpoint {
		return endpoint, nil
	}
	if u, err := url.Parse(endpoint); err != nil || !transport.ThisMachine(u.Hostname()) || speaksTLS(ctx, u) {
		return tlsOnly, nil
	}
	p.noTLS = fault.New(fault.Invalid,
		i18n.M("The endpoint {{.Endpoint}} does not support TLS. The Lithops client requires TLS, so Lithops jobs would fail or hang.", "Endpoint", transport.ShownURL(endpoint)),
		i18n.M("Put a TLS proxy in front of the service, and set its https:// address in the Lithops configuration."))
	if o := p.o.Host.Observer; o != nil && !p.o.Tolerant {
		o.Warn(p.noTLS.Reason)
	}
	return endpoint, nil
}

// speaksTLS reports whether a service on this machine accepts TLS connections. It also returns true if the service
// cannot be reached. It sends no request.
func speaksTLS(ctx context.Context, u *url.URL) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	dialer := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // only tests whether the server uses TLS
	c, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), "443")))
	if err == nil {
		_ = c.Close()
		return true
	}
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// validateEndpoint returns an error if the endpoint is not a URL, contains credentials, a query or a fragment, or is
// on another machine and does not use TLS. what is the name of the service for the error.
func validateEndpoint(endpoint string, what i18n.Message) error {
	shown := transport.ShownURL(endpoint)
	u, err := url.Parse(endpoint)
	switch {
	case err != nil, u.Host == "", u.Scheme != "https" && u.Scheme != "http":
		return fault.New(fault.Invalid, i18n.M("The endpoint '{{.Endpoint}}' of the {{.What}} is not a valid URL.", "Endpoint", shown, "What", what),
			i18n.M("Set it to https://HOST[:PORT] in the Lithops configuration."))
	case u.User != nil, u.RawQuery != "", u.Fragment != "":
		return fault.New(fault.Invalid, i18n.M("The endpoint '{{.Endpoint}}' of the {{.What}} contains a user, a password or a query, which are not allowed in an endpoint.", "Endpoint", shown, "What", what),
			i18n.M("Set it to https://HOST[:PORT] in the Lithops configuration; set credentials in their own keys."))
	case u.Scheme == "http" && !transport.ThisMachine(u.Hostname()):
		return fault.New(fault.Invalid, i18n.M("The endpoint '{{.Endpoint}}' of the {{.What}} does not use TLS, so keys could be read in transit.", "Endpoint", shown, "What", what),
			i18n.M("Use https:// in the Lithops configuration; http:// is supported only for this machine."))
	}
	return nil
}

// iam returns the endpoint of the identity service that exchanges API keys for tokens.
func (p *opening) iam() (string, error) {
	endpoint := transport.DefaultIAM
	if s := p.o.Host.Session; s != nil && s.IAMEndpoint != "" {
		endpoint = s.IAMEndpoint
	}
	endpoint, err := p.privateEndpoint(endpoint, identity)
	if err == nil {
		err = validateEndpoint(endpoint, i18n.M("identity service"))
	}
	return endpoint, err
}

// transport returns the transport for requests to one endpoint with its credentials.
func (p *opening) transport(origin string, auth transport.Auth, insecure bool) http.RoundTripper {
	return transport.New(p.transportOptions(origin, auth, insecure))
}

// anonymous returns a transport that adds no credentials to requests.
func (p *opening) anonymous() http.RoundTripper {
	return transport.New(p.transportOptions("", transport.Auth{}, false))
}

func (p *opening) transportOptions(origin string, auth transport.Auth, insecure bool) transport.Options {
	h := p.o.Host
	o := transport.Options{
		Auth: auth, Origin: origin, UserAgent: "fn-runtime/" + h.Version, Timeout: h.HTTPTimeout, Budget: h.Retries,
		Proxy: p.target.Proxy, SkipTLSVerify: insecure && p.endpoint.CAFile == "" || h.SkipTLSVerify && (origin == "" || isIBMCloud(origin)),
		// The CA bundles that the client's libraries for HTTP and for S3 use.
		CAFiles: []string{h.Getenv("REQUESTS_CA_BUNDLE"), h.Getenv("CURL_CA_BUNDLE"), h.Getenv("AWS_CA_BUNDLE")},
		Trace:   h.Trace, Secrets: p.secrets(),
	}
	if p.target.CAFile != "" {
		if pem, err := regular.ReadCABundle(p.target.CAFile); err == nil {
			o.CAs = append(o.CAs, pem)
		}
	}
	if h.Observer != nil {
		o.OnRetry = func(host, reason string, wait time.Duration) { p.noteRetry(h.Observer, host, reason, wait) }
	}
	return o
}

// noteRetry reports a retry to the user.
func (p *opening) noteRetry(o site.Observer, host, reason string, wait time.Duration) {
	o.Note(i18n.M("{{.Host}}: {{.Reason}}; retrying in {{.Wait}}.", "Host", host, "Reason", reason, "Wait", wait.Round(100*time.Millisecond)))
}

// secrets returns the values that traces must not contain.
func (p *opening) secrets() []string {
	c, st := p.compute, p.storage
	all := []string{c.APIKey, c.IAMAPIKey, c.Token, c.DockerPassword, st.SecretAccessKey, st.SessionToken, st.APIKey, st.IAMAPIKey,
		p.endpoint.APIKey, p.endpoint.Token, p.endpoint.SecretKey, p.endpoint.ProxySecret}
	return slices.DeleteFunc(all, func(s string) bool { return s == "" })
}
