package engine

import (
	"net"
	"net/url"
	"path/filepath"
	"runtime"
	"strings"

	"fn-runtime/runtime/transport"
)

// candidate is an address at which an engine may respond.
type candidate struct {
	origin        string
	host          string
	tls           bool   // the host uses TLS
	ca, cert, key string // PEM files, or ""
	unverified    bool   // the user disabled the verification of certificates
	apiVersion    string // "" if negotiated
}

// displayHost returns the host for display.
func (c candidate) displayHost() string { return transport.ShownURL(c.host) }

// redact removes the confidential parts of the host from an error text.
func (c candidate) redact(text string) string {
	_, address, _ := strings.Cut(c.host, "://")
	_, shown, _ := strings.Cut(c.displayHost(), "://")
	if address == "" || shown == address {
		return text
	}
	return strings.ReplaceAll(text, address, shown)
}

// exposed reports whether data for the host is sent unencrypted over a network: the host is on another machine and does
// not use TLS.
func (c candidate) exposed() bool {
	u, err := url.Parse(c.host)
	return !localHost(c.host) && !c.tls && (err != nil || !transport.ThisMachine(u.Hostname()))
}

// candidates returns the addresses to try, in order of preference. If the user has selected an engine in the
// environment or with a Docker context, that engine is the only candidate, because the build must not run on another
// one.
func candidates(o Options) ([]candidate, error) {
	if host := strings.TrimSpace(o.Getenv("DOCKER_HOST")); host != "" {
		c := candidate{origin: "DOCKER_HOST", apiVersion: o.Getenv("DOCKER_API_VERSION")}
		c.unverified = o.Getenv("DOCKER_TLS_VERIFY") == ""
		c.tls = !c.unverified || o.Getenv("DOCKER_TLS") != ""
		c.host = withPort(host, c.tls)
		if c.tls {
			dir := o.Getenv("DOCKER_CERT_PATH")
			if dir == "" {
				dir = configDir(o)
			}
			c.ca, c.cert, c.key = filepath.Join(dir, "ca.pem"), pathIfExists(dir, "cert.pem"), pathIfExists(dir, "key.pem")
			if c.unverified {
				c.ca = pathIfExists(dir, "ca.pem")
			}
		}
		return []candidate{c}, nil
	}
	chosen, err := contextCandidate(o)
	if err != nil || chosen != nil {
		if chosen == nil {
			return nil, err
		}
		return []candidate{*chosen}, err
	}
	if host := o.Getenv("CONTAINER_HOST"); host != "" { // podman's variable
		return []candidate{{origin: "CONTAINER_HOST", host: host}}, nil
	}
	return sockets(o, runtime.GOOS), nil
}

// withPort completes an address as the Docker CLI does: HOST:PORT means TCP, and the default port depends on TLS.
func withPort(host string, tls bool) string {
	if !strings.Contains(host, "://") {
		host = "tcp://" + host
	}
	u, err := url.Parse(host)
	if err != nil || u.Scheme != "tcp" {
		return host
	}
	name, port := u.Hostname(), u.Port()
	if name == "" {
		name = "localhost"
	}
	if port == "" {
		port = "2375"
		if tls {
			port = "2376"
		}
	}
	u.Host = net.JoinHostPort(name, port)
	return u.String()
}

// sockets returns the default addresses of engines on an operating system.
func sockets(o Options, goos string) []candidate {
	if goos == "windows" {
		return []candidate{
			{origin: "default pipe", host: "npipe:////./pipe/docker_engine"},
			{origin: "podman's pipe", host: "npipe:////./pipe/podman-machine-default"},
		}
	}
	all := []candidate{{origin: "default socket", host: "unix:///var/run/docker.sock"}}
	add := func(origin, dir string, path ...string) {
		if dir != "" {
			all = append(all, candidate{origin: origin, host: "unix://" + filepath.Join(append([]string{dir}, path...)...)})
		}
	}
	run := o.Getenv("XDG_RUNTIME_DIR")
	add("rootless socket", run, "docker.sock")
	add("Docker Desktop's socket", o.Home, ".docker", "run", "docker.sock")
	add("Docker Desktop's socket", o.Home, ".docker", "desktop", "docker.sock")
	add("Rancher Desktop's socket", o.Home, ".rd", "docker.sock")
	add("Colima's socket", o.Home, ".colima", "default", "docker.sock")
	add("podman's socket", run, "podman", "podman.sock")
	add("podman's socket", "/run", "podman", "podman.sock")
	return all
}

func configDir(o Options) string {
	if dir := o.Getenv("DOCKER_CONFIG"); dir != "" {
		return dir
	}
	return filepath.Join(o.Home, ".docker")
}

// localHost reports whether the engine shares the file system and network of this machine.
func localHost(host string) bool {
	return strings.HasPrefix(host, "unix://") || strings.HasPrefix(host, "npipe://")
}

// Local reports whether the engine runs on this machine, so that its published ports are on the loopback interface.
func (e *Engine) Local() bool { return localHost(e.Host) }
