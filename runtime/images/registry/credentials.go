// Package registry is what a container registry asks and tells: whose credentials go to which host, and which digest
// a tag points to.
//
// What may go in: credentials of the Docker CLI and of the Lithops configuration, reads over HTTP. What may not: the
// Docker Engine, which pushes and pulls by itself and is only handed credentials from here.
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

// hub is the name under which the Docker CLI keeps the credentials of Docker Hub.
const (
	hub    = authn.DefaultAuthKey
	hubRef = "docker.io"
)

// maxConfig is the most that config.json may hold, in bytes.
const maxConfig = 4 << 20

// Credentials finds the account for a registry. The Lithops configuration wins for its own registry; every other one
// is looked up where 'docker login' leaves it: config.json, a credential helper or store.
type Credentials struct {
	Dir                    string // of config.json; "" none
	Server, User, Password string // docker_server, docker_user, docker_password of the Lithops configuration
}

// Dir is the folder of the Docker CLI's configuration.
func Dir(getenv func(string) string, home string) string {
	if dir := getenv("DOCKER_CONFIG"); dir != "" {
		return dir
	}
	return filepath.Join(home, ".docker")
}

// Host returns the registry of a reference, with its port, as people write it: "docker.io", "us.icr.io", "127.0.0.1:5000".
func Host(ref reference.Named) string { return reference.Domain(ref) }

// For returns the account for a registry host as Host gives it; the zero value means: anonymous. A helper that fails is
// a fault.Denied, for an anonymous push would only fail later and say less.
func (c Credentials) For(ctx context.Context, host string) (registrytypes.AuthConfig, error) {
	key := host
	if serverHost(host) == hubRef {
		key = hub
	}
	if c.User != "" && c.Password != "" && serverHost(c.Server) == serverHost(host) {
		return registrytypes.AuthConfig{Username: c.User, Password: c.Password, ServerAddress: key}, nil
	}
	if c.Dir == "" {
		return registrytypes.AuthConfig{}, nil
	}
	file, err := c.load()
	if err != nil {
		return registrytypes.AuthConfig{}, err
	}
	type answer struct {
		auth registrytypes.AuthConfig
		err  error
	}
	ready := make(chan answer, 1) // a helper is a program that may hang: it is left behind when the user stops waiting
	go func() {
		a, err := file.GetAuthConfig(key)
		ready <- answer{registrytypes.AuthConfig{
			Username: a.Username, Password: a.Password, Auth: a.Auth, ServerAddress: key,
			IdentityToken: a.IdentityToken, RegistryToken: a.RegistryToken,
		}, err}
	}()
	select {
	case <-ctx.Done():
		return registrytypes.AuthConfig{}, ctx.Err()
	case a := <-ready:
		if a.err != nil && strings.Contains(a.err.Error(), exec.ErrNotFound.Error()) { // the library keeps the text alone
			return registrytypes.AuthConfig{}, c.noHelper(file, key, host, a.err)
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

// noHelper is the fault for a credential helper that is not there, which no login can mend.
func (c Credentials) noHelper(file *configfile.ConfigFile, key, host string, err error) error {
	name, setting := file.CredentialHelpers[key], "credHelpers"
	if name == "" {
		name, setting = file.CredentialsStore, "credsStore"
	}
	return fault.New(fault.Denied,
		i18n.M("The Docker CLI configuration {{.Path}} specifies the credential helper {{.Helper}} for the registry {{.Registry}}, but this helper is not in PATH.", "Path", file.Filename, "Helper", "docker-credential-"+name, "Registry", host),
		i18n.M("Install it, or remove '{{.Setting}}' from that file and log in again with 'docker login {{.Registry}}'.", "Setting", setting, "Registry", host)).Because(err)
}

// Encoded returns the account for a host in the form of the Engine API's X-Registry-Auth header, and the user's name
// ("" for anonymous or a token).
func (c Credentials) Encoded(ctx context.Context, host string) (header, user string, err error) {
	auth, err := c.For(ctx, host)
	if err != nil {
		return "", "", err
	}
	header, err = registrytypes.EncodeAuthConfig(auth)
	return header, auth.Username, err
}

// All returns the accounts that a classic build may need for its base images, as far as they can be had before ctx ends.
func (c Credentials) All(ctx context.Context) map[string]registrytypes.AuthConfig {
	all := map[string]registrytypes.AuthConfig{}
	if c.Dir != "" {
		if file, err := c.load(); err == nil {
			ready := make(chan map[string]types.AuthConfig, 1) // see For
			go func() {
				known, _ := file.GetAllCredentials() // a helper that fails is only missed by a base image of its registry
				ready <- known
			}()
			var known map[string]types.AuthConfig
			select {
			case <-ctx.Done():
			case known = <-ready:
			}
			for host, a := range known {
				all[host] = registrytypes.AuthConfig{Username: a.Username, Password: a.Password, Auth: a.Auth, ServerAddress: host,
					IdentityToken: a.IdentityToken, RegistryToken: a.RegistryToken}
			}
		}
	}
	if c.User != "" && c.Password != "" {
		key := serverHost(c.Server)
		if key == hubRef {
			key = hub
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

// serverHost brings the ways to write a registry to one: without scheme and path, Docker Hub always as docker.io.
func serverHost(server string) string {
	s := strings.TrimPrefix(strings.TrimPrefix(server, "https://"), "http://")
	s, _, _ = strings.Cut(s, "/")
	switch s = strings.ToLower(s); s {
	case "", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com", "hub.docker.com":
		return hubRef
	}
	return s
}
