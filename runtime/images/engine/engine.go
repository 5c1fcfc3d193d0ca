// Package engine finds and connects to the Docker Engine of this machine, or to another engine with the same API.
//
// The package determines which addresses are tried, in which order, and which error is returned if no engine responds.
// It does not perform operations on the engine.
package engine

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/docker/cli/cli/connhelper"
	"github.com/docker/docker/api/types/versions"
	"github.com/docker/docker/client"
	"github.com/docker/go-connections/tlsconfig"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/regular"
)

// Options specifies where to look for an engine.
type Options struct {
	Getenv func(string) string // reads the environment
	Home   string              // home directory of the user, which contains sockets and contexts
}

// Engine is a connection to an engine.
type Engine struct {
	Operations
	Host   string // "unix:///var/run/docker.sock"
	Origin string // setting that selects the engine: "DOCKER_HOST", "Docker context colima", "default socket"
	OSType string // operating system of its containers
	// Exposed is set if the engine is on another machine without TLS, so that data for it is sent unencrypted.
	Exposed bool
}

// BuildKit reports whether the engine may support BuildKit, as Docker Engines for Linux do since 18.09 (API 1.39).
// podman reports the same API version without supporting it, and rejects the session.
func (e *Engine) BuildKit() bool {
	return e.OSType != "windows" && versions.GreaterThanOrEqualTo(e.ClientVersion(), "1.39")
}

// pingTimeout limits the time of a ping. A socket responds immediately, but SSH has to log in.
const pingTimeout = 15 * time.Second

// Find connects to the engine that the Docker CLI would use, or to the first engine that responds. The caller must
// close it. If no engine responds, it returns a fault.Unavailable error whose details list the addresses tried, one per
// line.
func Find(ctx context.Context, o Options) (*Engine, error) {
	candidates, err := candidates(o)
	if err != nil {
		return nil, err
	}
	var tried []string
	denied := false
	for _, c := range candidates {
		e, err := connect(ctx, c)
		if err == nil {
			return e, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		denied = denied || errors.Is(err, fs.ErrPermission) || strings.Contains(err.Error(), "permission denied")
		tried = append(tried, c.displayHost()+" ("+c.origin+"): "+c.redact(reason(err)))
	}
	return nil, notFound(tried, denied)
}

func notFound(tried []string, denied bool) error {
	why := i18n.M("No container engine is reachable from this machine.")
	how := i18n.M("Start one with 'sudo systemctl start docker', Docker Desktop, or 'systemctl --user start podman.socket', or set DOCKER_HOST.")
	kind := fault.Unavailable
	if denied {
		kind = fault.Denied
		why = i18n.M("This user does not have access to the container engine.")
		how = i18n.M("Add the user to the engine's group and log in again: 'sudo usermod -aG docker $USER'.")
	}
	return fault.New(kind, why, how).With(tried...)
}

// errCredentials is returned for an address with a user or password. Only SSH addresses may contain a user, and no
// address may contain a password.
var errCredentials = errors.New("the address must not contain a user or password")

func connect(ctx context.Context, c candidate) (*Engine, error) {
	if strings.Contains(c.host, "@") && !localHost(c.host) && !strings.HasPrefix(c.host, "ssh://") {
		return nil, errCredentials
	}
	if path, ok := strings.CutPrefix(c.host, "unix://"); ok { // the error of the Docker client does not contain the cause
		var d net.Dialer
		conn, err := d.DialContext(ctx, "unix", path)
		if err != nil {
			return nil, err
		}
		_ = conn.Close()
	}
	opts := []client.Opt{client.WithAPIVersionNegotiation()}
	helper, err := connhelper.GetConnectionHelper(c.host) // for ssh://
	switch {
	case err != nil:
		return nil, err
	case helper != nil:
		opts = append(opts, client.WithHTTPClient(&http.Client{Transport: &http.Transport{DialContext: helper.Dialer}}),
			client.WithHost(helper.Host), client.WithDialContext(helper.Dialer))
	default:
		if c.tls {
			for _, file := range []string{c.ca, c.cert, c.key} { // the TLS library would block on a named pipe
				if file == "" {
					continue
				}
				f, err := regular.Open(file)
				if err != nil {
					return nil, err
				}
				_ = f.Close()
			}
			config, err := tlsconfig.Client(tlsconfig.Options{CAFile: c.ca, CertFile: c.cert, KeyFile: c.key, InsecureSkipVerify: c.unverified, ExclusiveRootPools: c.ca != ""})
			if err != nil {
				return nil, err
			}
			opts = append(opts, client.WithHTTPClient(&http.Client{Transport: &http.Transport{TLSClientConfig: config}, CheckRedirect: client.CheckRedirect}))
		}
		opts = append(opts, client.WithHost(c.host))
	}
	if c.apiVersion != "" {
		opts = append(opts, client.WithVersion(c.apiVersion))
	}
	api, err := client.NewClientWithOpts(opts...)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	ping, err := api.Ping(ctx)
	if err != nil {
		_ = api.Close()
		return nil, err
	}
	api.NegotiateAPIVersionPing(ping)
	return &Engine{Operations: OperationsOf(api), Host: c.displayHost(), Origin: c.origin, OSType: ping.OSType, Exposed: helper == nil && c.exposed()}, nil
}

// reason returns the cause of an error in one line, without the advice that the Docker client adds.
func reason(err error) string {
	var file *fs.PathError
	switch s := err.Error(); {
	case errors.As(err, &file): // a certificate; errors of sockets have another type
		return file.Path + ": " + file.Err.Error()
	case errors.Is(err, fs.ErrNotExist) || strings.Contains(s, "no such file or directory"):
		return "no such socket"
	case errors.Is(err, fs.ErrPermission) || strings.Contains(s, "permission denied"):
		return "permission denied"
	case strings.Contains(s, "connection refused"):
		return "connection refused"
	case errors.Is(err, context.DeadlineExceeded):
		return "timed out"
	case strings.HasPrefix(s, "Cannot connect to the Docker daemon"):
		return "no response"
	default:
		return strings.ReplaceAll(s, "\n", " ")
	}
}
