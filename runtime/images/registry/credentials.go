// Package registry determines the credentials for a container registry, and reads the digest of a tag from the
// registry.
//
// The package reads the credentials of the Docker CLI and of the Lithops configuration, and sends read requests over
// HTTP. It does not use the Docker Engine, which pulls and pushes images itself and only receives credentials from this
// package.
package registry

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/distribution/reference"
	"github.com/docker/cli/cli/config/configfile"
	"github.com/docker/cli/cli/config/types"
	registrytypes "github.com/docker/docker/api/types/registry"
	"github.com/google/go-containerregistry/pkg/authn"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/regular"
)

// hubKey is the key of Docker Hub's credentials in the Docker CLI configuration. hubHost is the name of Docker Hub in
// image references.
const (
	hubKey  = authn.DefaultAuthKey
	hubHost = "docker.io"
)

// maxConfig is the maximum size of config.json in bytes.
const maxConfig = 4 << 20

// Credentials looks up the credentials for a registry. For the registry in the Lithops configuration, it uses the
// credentials in that configuration. For all others, it uses those of 'docker login' in config.json, a credential
// helper or a store.
type Credentials struct {
	Dir                    string // of config.json, or ""
	Server, User, Password string // docker_server, docker_user, docker_password of the Lithops configuration
}

// Dir returns the configuration directory of the Docker CLI.
func Dir(getenv func(string) string, home string) string {
	if dir := getenv("DOCKER_CONFIG"); dir != "" {
		return dir
	}
	return filepath.Join(home, ".docker")
}

// Host returns the registry of a reference with its port, in the usual notation: "docker.io", "us.icr.io",
// "127.0.0.1:5000".
func Host(ref reference.Named) string { return reference.Domain(ref) }

// For returns the credentials for a registry host as returned by Host. The zero value means anonymous access. If a
// credential helper fails, it returns a fault.Denied error, because an anonymous push would only fail later with a less
// specific error.
func (c Credentials) For(ctx context.Context, host string) (registrytypes.AuthConfig, error) {
	key := host
	if normalizeHost(host) == hubHost {
		key = hubKey
	}
	if c.User != "" && c.Password != "" && normalizeHost(c.Server) == normalizeHost(host) {
		return registrytypes.AuthConfig{Username: c.User, Password: c.Password, ServerAddress: key}, nil
	}
	if c.Dir == "" {
		return registrytypes.AuthConfig{}, nil
	}
	file, err := c.load()
	if err != nil {
		return registrytypes.AuthConfig{}, err
	}
	type result struct {
		auth registrytypes.AuthConfig
		err  error
	}
	ready := make(chan result, 1) // buffered, because For returns when ctx ends, even if the credential helper hangs
	go func() {
		a, err := file.GetAuthConfig(key)
		ready <- result{registrytypes.AuthConfig{
			Username: a.Username, Password: a.Password, Auth: a.Auth, ServerAddress: key,
			IdentityToken: a.IdentityToken, RegistryToken: a.RegistryToken,
		}, err}
	}()
	select {
	case <-ctx.Done():
		return registrytypes.AuthConfig{}, ctx.Err()
	case a := <-ready:
		if a.err != nil && strings.Contains(a.err.Error(), exec.ErrNotFound.Error()) { // the library keeps only the text
			return registrytypes.AuthConfig{}, c.helperMissing(file, key, host, a.err)
		}
		if a.err != nil {
			return registrytypes.AuthConfig{}, fault.New(fault.Denied,
				i18n.M("The credential helper for the registry {{.Registry}} failed: {{.Error}}.", "Registry", host, "Error", a.err),
				i18n.M("Log in again with 'docker login {{.Registry}}'.", "Registry", host)).Because(a.err)
		}
		if a.auth.Username == "" && a.auth.IdentityToken == "" && a.auth.RegistryToken == "" && a.auth.Auth == "" {
			return registrytypes.AuthConfig{}, nil
		}
		return a.auth, nil
	}
}

// helperMissing returns the fault for a missing credential helper, which a login cannot fix.
func (c Credentials) helperMissing(file *configfile.ConfigFile, key, host string, err error) error {
	name, setting := file.CredentialHelpers[key], "credHelpers"
	if name == "" {
		name, setting = file.CredentialsStore, "credsStore"
	}
	return fault.New(fault.Denied,
		i18n.M("The Docker CLI configuration {{.Path}} specifies the credential helper {{.Helper}} for the registry {{.Registry}}, but this helper is not in PATH.", "Path", file.Filename, "Helper", "docker-credential-"+name, "Registry", host),
		i18n.M("Install it, or remove '{{.Setting}}' from that file and log in again with 'docker login {{.Registry}}'.", "Setting", setting, "Registry", host)).Because(err)
}

// Encoded returns the credentials for a host, encoded for the Engine API's X-Registry-Auth header, and the name of the
// user. The name is "" for anonymous access or a token.
func (c Credentials) Encoded(ctx context.Context, host string) (header, user string, err error) {
	auth, err := c.For(ctx, host)
	if err != nil {
		return "", "", err
	}
	header, err = registrytypes.EncodeAuthConfig(auth)
	return header, auth.Username, err
}

// All returns the credentials that a classic build may need for its base images. It omits those that are not available
// before ctx ends.
func (c Credentials) All(ctx context.Context) map[string]registrytypes.AuthConfig {
	all := map[string]registrytypes.AuthConfig{}
	if c.Dir != "" {
		if file, err := c.load(); err == nil {
			ready := make(chan map[string]types.AuthConfig, 1) // see For
			go func() {
				stored, _ := file.GetAllCredentials() // if a helper fails, only builds with base images of its registry fail
				ready <- stored
			}()
			var stored map[string]types.AuthConfig
			select {
			case <-ctx.Done():
			case stored = <-ready:
			}
			for host, a := range stored {
				all[host] = registrytypes.AuthConfig{Username: a.Username, Password: a.Password, Auth: a.Auth, ServerAddress: host,
					IdentityToken: a.IdentityToken, RegistryToken: a.RegistryToken}
			}
		}
	}
	if c.User != "" && c.Password != "" {
		key := normalizeHost(c.Server)
		if key == hubHost {
			key = hubKey
		}
		all[key] = registrytypes.AuthConfig{Username: c.User, Password: c.Password, ServerAddress: key}
	}
	return all
}

func (c Credentials) load() (*configfile.ConfigFile, error) {
	path := filepath.Join(c.Dir, "config.json")
	file := configfile.New(path)
	f, err := regular.Open(path)
	if os.IsNotExist(err) {
		return file, nil
	}
	if err == nil {
		defer f.Close()
		err = file.LoadFromReader(io.LimitReader(f, maxConfig))
	}
	if err != nil {
		return nil, fault.New(fault.Invalid,
			i18n.M("The Docker CLI configuration {{.Path}} cannot be read: {{.Error}}.", "Path", path, "Error", err),
			i18n.M("Fix the file, or set DOCKER_CONFIG to the directory of another configuration.")).Because(err)
	}
	return file, nil
}

// normalizeHost removes the scheme and path from a registry address, and returns docker.io for all names of Docker Hub.
func normalizeHost(server string) string {
	s := strings.TrimPrefix(strings.TrimPrefix(server, "https://"), "http://")
	s, _, _ = strings.Cut(s, "/")
	switch s = strings.ToLower(s); s {
	case "", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com", "hub.docker.com":
		return hubHost
	}
	return s
}
