package container

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"

	"github.com/docker/docker/api/types/container"

	"fn-runtime/runtime/actionproxy"
)

// proxyPath is where a container finds the action proxy that its image does not have.
const proxyPath = "/" + actionproxy.Name

// equip returns a container of an image without action proxy the endpoint's, as the program that it runs. What the image
// would have run is in the variable FN_RUNTIME_IMAGE. The image must have a python3, as for the forwarder.
func (s *Starter) equip(ctx context.Context, c *container.Config, host *container.HostConfig) error {
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
	// The folder is the user's alone; the file is nobody's secret, and containers run as anybody.
	path := filepath.Join(s.o.Dir, actionproxy.Name)
	if err := os.WriteFile(path, actionproxy.Source(), 0o644); err != nil { //nolint:gosec
		return err
	}
	c.Env = append(c.Env, "FN_RUNTIME_IMAGE="+string(text))
	c.Entrypoint, c.Cmd = []string{"python3", proxyPath}, []string{}
	host.Binds = append(host.Binds, path+":"+proxyPath+":ro")
	return nil
}
