package container

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"

	"github.com/docker/docker/api/types/container"

	"fn-runtime/runtime/actionproxy"
)

// proxyPath is the path in the container at which the action proxy is mounted.
const proxyPath = "/" + actionproxy.Name

// injectProxy changes a container configuration so that the container runs the endpoint's action proxy, for images that
// do not contain one. The environment variable FN_RUNTIME_IMAGE holds the image's own entrypoint, command and working
// directory as JSON. The image must contain python3, as for the forwarder.
func (s *Starter) injectProxy(ctx context.Context, c *container.Config, host *container.HostConfig) error {
	info, err := s.engine.ImageInspect(ctx, c.Image)
	if err != nil {
		return unavailable(err)
	}
	var image struct {
		Entrypoint []string `json:"entrypoint"`
		Cmd        []string `json:"cmd"`
		Dir        string   `json:"dir"`
	}
	if info.Config != nil {
		image.Entrypoint, image.Cmd, image.Dir = info.Config.Entrypoint, info.Config.Cmd, info.Config.WorkingDir
	}
	text, err := json.Marshal(image)
	if err != nil {
		return err
	}
	// Containers may run as any user, so the file must be readable by all. It holds no secret, and only the user can
	// access its directory.
	path := filepath.Join(s.o.Dir, actionproxy.Name)
	if err := os.WriteFile(path, actionproxy.Source(), 0o644); err != nil { //nolint:gosec
		return err
	}
	c.Env = append(c.Env, "FN_RUNTIME_IMAGE="+string(text))
	c.Entrypoint, c.Cmd = []string{"python3", proxyPath}, []string{}
	host.Binds = append(host.Binds, path+":"+proxyPath+":ro")
	return nil
}
