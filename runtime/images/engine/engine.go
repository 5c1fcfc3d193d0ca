// Package engine finds the Docker Engine of this machine, or what speaks its API, and connects to it.
//
// What may go in: where engines are looked for, in which order, and what to say when there is none. What may not: what
// is done with an engine.
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

// Options says where to look.
type Options struct {
	Getenv func(string) string // of the process
	Home   string              // the user's home, for sockets and contexts below it
}

// Engine is a connected engine.
type Engine struct {
	Operations
	Host   string // "unix:///var/run/docker.sock"
	Origin string // how it was found: "DOCKER_HOST", "Docker context colima", "default socket"
	OSType string // of its containers
	// Exposed says that it is on another machine and reached without TLS: what is sent to it can be read on the way.
	Exposed bool
}

// BuildKit reports whether the engine may build with BuildKit: Docker Engines for Linux do since 18.09 (API 1.39). podman
// says the same and does not; it refuses the session.
func (e *Engine) BuildKit() bool {
	return e.OSType != "windows" && versions.GreaterThanOrEqualTo(e.ClientVersion(), "1.39")
}

// timeToAnswer is how long an engine may take for a ping: a socket answers at once, ssh has to log in.
const timeToAnswer = 15 * time.Second

// Find connects to the engine that the Docker CLI would use, or to the first one that answers. The caller closes it.
// Without any it gives a fault.Unavailable whose details say what was looked for, a line each.
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
		tried = append(tried, c.shown()+" ("+c.origin+"): "+c.hide(reason(err)))
	}
	return nil, none(tried, denied)
}

func none(tried []string, denied bool) error {
	why := i18n.M("No Docker Engine is reachable from this machine.")
	how := i18n.M("Start one with 'sudo systemctl start docker', Docker Desktop, or 'systemctl --user start podman.socket', or set DOCKER_HOST.")
	kind := fault.Unavailable
	if denied {
		kind = fault.Denied
		why = i18n.M("This user does not have access to the Docker Engine.")
		how = i18n.M("Add the user to the engine's group and log in again: 'sudo usermod -aG docker $USER'.")
	}
	return fault.New(kind, why, how).With(tried...)
}

// errCarries is an address with a password. Only SSH has users, and no passwords in addresses.
var errCarries = errors.New("an engine's address holds no user and no password")

func connect(ctx context.Context, c candidate) (*Engine, error) {
	if strings.Contains(c.host, "@") && !localHost(c.host) && !strings.HasPrefix(c.host, "ssh://") {
		return nil, errCarries
	}
	if path, ok := strings.CutPrefix(c.host, "unix://"); ok { // the client's own error does not say what is wrong with it
		var d net.Dialer
		conn, err := d.DialContext(ctx, "unix", path)
		if err != nil {
			return nil, err
		}
		_ = conn.Close()
	}
	opts := []client.Opt{client.WithAPIVersionNegotiation()}
	helper, err := connhelper.GetConnectionHelper(c.host) // ssh://
	switch {
	case err != nil:
		return nil, err
	case helper != nil:
		opts = append(opts, client.WithHTTPClient(&http.Client{Transport: &http.Transport{DialContext: helper.Dialer}}),
			client.WithHost(helper.Host), client.WithDialContext(helper.Dialer))
	default:
		if c.tls {
			for _, file := range []string{c.ca, c.cert, c.key} { // the library would wait for a pipe
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
	ctx, cancel := context.WithTimeout(ctx, timeToAnswer)
	defer cancel()
	ping, err := api.Ping(ctx)
	if err != nil {
		_ = api.Close()
		return nil, err
	}
	api.NegotiateAPIVersionPing(ping)
	return &Engine{Operations: OperationsOf(api), Host: c.shown(), Origin: c.origin, OSType: ping.OSType, Exposed: helper == nil && c.exposed()}, nil
}

// reason is the last part of an error in one line: the client wraps the cause into advice of its own.
func reason(err error) string {
	var file *fs.PathError
	switch s := err.Error(); {
	case errors.As(err, &file): // a certificate; sockets have no such error
		return file.Path + ": " + file.Err.Error()
	case errors.Is(err, fs.ErrNotExist) || strings.Contains(s, "no such file or directory"):
		return "no such socket"
	case errors.Is(err, fs.ErrPermission) || strings.Contains(s, "permission denied"):
		return "permission denied"
	case strings.Contains(s, "connection refused"):
		return "connection refused"
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case strings.HasPrefix(s, "Cannot connect to the Docker daemon"):
		return "no answer"
	default:
		return strings.ReplaceAll(s, "\n", " ")
	}
}
