package engine

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/regular"
)

// maxMeta is the maximum size of a Docker CLI configuration file in bytes.
const maxMeta = 1 << 20

// contextCandidate returns the engine of the Docker CLI's context: DOCKER_CONTEXT, or else currentContext of
// config.json. It returns nil if there is none or if it is "default", which means the default sockets.
//
// The layout of the store is that of docker/cli, cli/context/store: contexts/meta/<sha256 of the name>/meta.json and
// contexts/tls/<the same>/docker/{ca,cert,key}.pem. The package of docker/cli is not used, because it adds a second
// Engine client to the binary.
func contextCandidate(o Options) (*candidate, error) {
	name := o.Getenv("DOCKER_CONTEXT")
	if name == "" {
		var config struct {
			CurrentContext string `json:"currentContext"`
		}
		err := readJSON(filepath.Join(configDir(o), "config.json"), &config)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil, nil
		case err != nil:
			return nil, fault.New(fault.Invalid,
				i18n.M("The Docker CLI configuration cannot be read: {{.Error}}.", "Error", err),
				i18n.M("Fix the file, or set DOCKER_CONFIG to the directory of another configuration.")).Because(err)
		}
		name = config.CurrentContext
	}
	if name == "" || name == "default" {
		return nil, nil
	}
	sum := sha256.Sum256([]byte(name))
	id := hex.EncodeToString(sum[:])
	var meta struct {
		Endpoints map[string]struct {
			Host          string
			SkipTLSVerify bool
		}
	}
	if err := readJSON(filepath.Join(configDir(o), "contexts", "meta", id, "meta.json"), &meta); err != nil {
		return nil, contextFault(name, err)
	}
	endpoint := meta.Endpoints["docker"]
	host := endpoint.Host
	if host == "" {
		return nil, contextFault(name, errors.New("it does not define a Docker endpoint"))
	}
	c := &candidate{origin: "Docker context " + name, host: host}
	tls := filepath.Join(configDir(o), "contexts", "tls", id, "docker")
	c.ca, c.cert, c.key = pathIfExists(tls, "ca.pem"), pathIfExists(tls, "cert.pem"), pathIfExists(tls, "key.pem")
	c.unverified = endpoint.SkipTLSVerify
	c.tls = c.unverified || c.ca != "" || c.cert != ""
	return c, nil
}

func contextFault(name string, err error) error {
	return fault.New(fault.NotFound,
		i18n.M("The Docker context {{.Name}} cannot be used: {{.Error}}.", "Name", name, "Error", err),
		i18n.M("Choose another context with 'docker context use', or set DOCKER_HOST.")).Because(err)
}

func pathIfExists(dir, name string) string {
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); err != nil {
		return ""
	}
	return path
}

func readJSON(path string, value any) error {
	data, err := regular.Read(path, maxMeta)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, value); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
