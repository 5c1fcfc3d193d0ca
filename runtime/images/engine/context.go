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

// maxMeta is the most that a file of the Docker CLI's configuration may hold, in bytes.
const maxMeta = 1 << 20

// contextCandidate reads the context that the Docker CLI uses: DOCKER_CONTEXT, else currentContext of config.json. It
// gives nil for none or "default", which means the sockets.
//
// The store's layout is that of docker/cli, cli/context/store: contexts/meta/<sha256 of the name>/meta.json and
// contexts/tls/<the same>/docker/{ca,cert,key}.pem. Its package is not used, because its Docker part brings a second
// Engine client into the binary.
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
		return nil, unusable(name, err)
	}
	endpoint := meta.Endpoints["docker"]
	host := endpoint.Host
	if host == "" {
		return nil, unusable(name, errors.New("it has no Docker endpoint"))
	}
	c := &candidate{origin: "Docker context " + name, host: host}
	tls := filepath.Join(configDir(o), "contexts", "tls", id, "docker")
	c.ca, c.cert, c.key = ifThere(tls, "ca.pem"), ifThere(tls, "cert.pem"), ifThere(tls, "key.pem")
	c.unverified = endpoint.SkipTLSVerify
	c.tls = c.unverified || c.ca != "" || c.cert != ""
	return c, nil
}

func unusable(name string, err error) error {
	return fault.New(fault.NotFound,
		i18n.M("The Docker context {{.Name}} cannot be used: {{.Error}}.", "Name", name, "Error", err),
		i18n.M("Choose another context with 'docker context use', or set DOCKER_HOST.")).Because(err)
}

func ifThere(dir, name string) string {
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); err != nil {
		return ""
	}
	return path
}

func readJSON(path string, into any) error {
	data, err := regular.Read(path, maxMeta)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
