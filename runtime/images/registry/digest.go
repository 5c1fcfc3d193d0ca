package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/distribution/reference"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	registry "github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/transport"
)

// Digest requests the current digest ("sha256:...") of the reference from the registry, without an engine. rt must
// handle retries. If it is nil, the default transport is used. Faults: NotFound, Denied, Throttled, Unavailable.
func (c Credentials) Digest(ctx context.Context, ref reference.Named, rt http.RoundTripper) (string, error) {
	host := Host(ref)
	auth, err := c.For(ctx, host)
	if err != nil {
		return "", err
	}
	r, err := name.ParseReference(reference.TagNameOnly(ref).String())
	if err != nil {
		return "", fault.New(fault.Invalid, i18n.M("{{.Image}} is not a valid image reference: {{.Error}}.", "Image", ref, "Error", err), i18n.Message{})
	}
	if rt == nil {
		rt = remote.DefaultTransport
	}
	desc, err := remote.Head(r, remote.WithContext(ctx), remote.WithTransport(requireTLS{rt}),
		remote.WithRetryBackoff(remote.Backoff{Steps: 1}), // rt retries, and honors Retry-After
		remote.WithAuth(authn.FromConfig(authn.AuthConfig{
			Username: auth.Username, Password: auth.Password, Auth: auth.Auth,
			IdentityToken: auth.IdentityToken, RegistryToken: auth.RegistryToken,
		})))
	if err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return "", readFault(ref, host, auth.Username, err)
	}
	return desc.Digest.String(), nil
}

func readFault(ref reference.Named, host, user string, err error) error {
	var te *registry.Error
	var insecure *insecureError
	switch {
	case errors.As(err, &insecure):
		return fault.New(fault.Denied,
			i18n.M("The registry {{.Registry}} does not support TLS, so no credentials are sent to it.", "Registry", host),
			i18n.M("Set up TLS for the registry, or connect to it over loopback.")).Because(err)
	case errors.As(err, &te):
		switch te.StatusCode {
		case http.StatusNotFound:
			return fault.New(fault.NotFound,
				i18n.M("Image {{.Image}} was not found in the registry {{.Registry}}.", "Registry", host, "Image", ref),
				i18n.M("Build and push it with 'ibmcloud fn-runtime build {{.Image}}'.", "Image", reference.FamiliarString(ref))).Because(err)
		case http.StatusUnauthorized, http.StatusForbidden:
			return AccessDenied(host, user).Because(err)
		case http.StatusTooManyRequests:
			return fault.New(fault.Throttled,
				i18n.M("The registry {{.Registry}} rejected this request because of its rate limit.", "Registry", host),
				i18n.M("Try again later, or log in for a higher limit: 'docker login {{.Registry}}'.", "Registry", host)).Because(err)
		}
		return fault.New(fault.Unavailable,
			i18n.M("The registry {{.Registry}} returned HTTP status {{.Status}}.", "Registry", host, "Status", te.StatusCode),
			i18n.M("Try again later.")).Because(err)
	}
	return fault.New(fault.Unavailable,
		i18n.M("The registry {{.Registry}} cannot be reached: {{.Error}}.", "Registry", host, "Error", cause(err)),
		i18n.M("Check the registry name and the network.")).Because(err)
}

// cause returns the text of err without the HTTP method, the URL and the final period.
func cause(err error) string {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	return strings.TrimRight(err.Error(), ". ")
}

// AccessDenied returns the fault for a registry that rejects these credentials. user is "" if there were no
// credentials.
func AccessDenied(host, user string) *fault.Fault {
	login := host
	if host == hubHost {
		login = ""
	}
	recovery := i18n.M("Log in with an account that has access to this repository ('docker login {{.Registry}}'), or set docker_server, docker_user and docker_password in the Lithops configuration.", "Registry", login)
	if login == "" {
		recovery = i18n.M("Log in with an account that has access to this repository ('docker login'), or set docker_user and docker_password in the Lithops configuration.")
	}
	if user == "" {
		return fault.New(fault.Denied, i18n.M("The registry {{.Registry}} requires a login, but no credentials were found for it.", "Registry", host), recovery)
	}
	return fault.New(fault.Denied, i18n.M("The registry {{.Registry}} denied access to the account {{.User}}.", "Registry", host, "User", user), recovery)
}

// requireTLS refuses to send credentials unencrypted: the library falls back to HTTP for private addresses.
type requireTLS struct{ next http.RoundTripper }

type insecureError struct{ host string }

func (e *insecureError) Error() string {
	return fmt.Sprintf("refusing HTTP without TLS to %s", e.host)
}

func (s requireTLS) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme != "https" && !transport.Loopback(req.URL.Hostname()) {
		return nil, &insecureError{req.URL.Host}
	}
	return s.next.RoundTrip(req)
}
