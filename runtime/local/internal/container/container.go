// Package container runs actions in containers of a Docker Engine, or of what speaks its API.
//
// What may go in: images, containers, their network and their removal. What may not: when containers are reused or how
// many there are (package invoker), the protocol spoken with them, the search for an engine (images/engine).
//
// # How a container reaches the endpoint
//
// The client was told that the store is at http://127.0.0.1:PORT, and hands that to its workers, inside of functions as
// well as in the payload. So 127.0.0.1:PORT has to lead to the store from within a container too. The host's network
// would do that, but an action would then listen on the host's own addresses, Lithops' proxies on all of them, and could
// reach every service of the loopback. Instead, a small forwarder runs beside the action in its container (forward.py): it
// listens on the container's loopback and leads to the engine's bridge, where the endpoint listens as well (BridgeAddress)
// and asks for credentials as everywhere. It works for any image with a Python, whatever its proxy is.
package container

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/distribution/reference"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/pkg/jsonmessage"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/images/engine"
	"fn-runtime/runtime/images/registry"
)

// label marks every container with the folder of the endpoint that it belongs to.
const label = "fn-runtime.endpoint"

// Options says whose containers they are. The zero value of a field means its default.
type Options struct {
	Dir        string // identifies the endpoint; containers that an earlier one with the same Dir left are removed
	Forward    []int  // ports of the endpoint that a container finds on its own loopback
	Getenv     func(string) string
	Home       string        // of the user: where engines and registry accounts are looked for
	PauseAfter time.Duration // how long an idle container keeps running before it is paused, 5 s
}

// Starter starts containers. It implements sandbox.Starter.
type Starter struct {
	o      Options
	engine *engine.Engine
	direct bool // containers are reached at their own addresses: the engine's bridge is an interface of this machine
	pull   sync.Mutex
}

// New finds the engine and removes what an earlier starter with the same Dir left behind, if it was killed.
func New(ctx context.Context, o Options) (*Starter, error) {
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, err
	}
	o.Dir = dir
	if o.Getenv == nil {
		o.Getenv = os.Getenv
	}
	if o.Home == "" {
		o.Home, _ = os.UserHomeDir()
	}
	if o.PauseAfter <= 0 {
		o.PauseAfter = 5 * time.Second
	}
	e, err := engine.Find(ctx, engine.Options{Getenv: o.Getenv, Home: o.Home})
	if err != nil {
		return nil, err
	}
	s := &Starter{o: o, engine: e}
	if !e.Local() || e.OSType == "windows" {
		_ = e.Close()
		return nil, fault.New(fault.Invalid,
			i18n.M("The container engine at {{.Host}} cannot run actions for the local endpoint because it is on another machine or runs Windows containers.", "Host", e.Host),
			i18n.M("Use a container engine on this machine that runs Linux containers, or run actions as processes with 'ibmcloud fn-runtime local start --invoker process'."))
	}
	err = s.removeAll(ctx)
	if err == nil {
		var bridge string
		bridge, err = s.BridgeAddress(ctx)
		s.direct = bridge != ""
	}
	if err != nil {
		_ = e.Close()
		return nil, err
	}
	return s, nil
}

// Close removes every container that is still there.
func (s *Starter) Close(ctx context.Context) error {
	defer func() { _ = s.engine.Close() }()
	return s.removeAll(ctx)
}

func (s *Starter) removeAll(ctx context.Context) error {
	list, err := s.engine.ContainerList(ctx, container.ListOptions{All: true, Filters: filters.NewArgs(filters.Arg("label", label+"="+s.o.Dir))})
	if err != nil {
		return unavailable(err)
	}
	for _, c := range list {
		if err := s.engine.ContainerRemove(ctx, c.ID, container.RemoveOptions{Force: true, RemoveVolumes: true}); err != nil && !errdefs.IsNotFound(err) && !errdefs.IsConflict(err) {
			return unavailable(err)
		}
	}
	return nil
}

func unavailable(err error) error {
	return fault.New(fault.Unavailable, i18n.M("The container engine failed: {{.Error}}.", "Error", err),
		i18n.M("Check the container engine with 'docker info', then retry.")).Because(err)
}

// BridgeAddress is this machine's address on the engine's default bridge; "" when the bridge is not on this machine but
// in a virtual machine, whose host.docker.internal leads to this machine's loopback.
func (s *Starter) BridgeAddress(ctx context.Context) (string, error) {
	bridge, err := s.engine.NetworkInspect(ctx, "bridge", network.InspectOptions{})
	if errdefs.IsNotFound(err) { // podman
		bridge, err = s.engine.NetworkInspect(ctx, "podman", network.InspectOptions{})
	}
	if err != nil {
		return "", unavailable(err)
	}
	// The name of the interface decides, not the subnet: a network of the house may have the same one.
	bridging, err := net.InterfaceByName(bridge.Options["com.docker.network.bridge.name"])
	if err != nil {
		return "", nil
	}
	addresses, err := bridging.Addrs()
	if err != nil {
		return "", unavailable(err)
	}
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil {
			return n.IP.String(), nil
		}
	}
	return "", nil
}

// ensure pulls an image that is not there yet. Only one is pulled at a time.
func (s *Starter) ensure(ctx context.Context, name string) error {
	if name == "" {
		return fault.New(fault.Invalid, i18n.M("The action does not specify an image, but this endpoint runs actions in containers."),
			i18n.M("Deploy the action with an image, or start the endpoint with '--invoker process'."))
	}
	ref, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return fault.New(fault.Invalid, i18n.M("'{{.Image}}' is not a valid image name.", "Image", name), i18n.M("Deploy the action with a valid image name.")).Because(err)
	}
	if _, err := s.engine.ImageInspect(ctx, name); err == nil {
		return nil
	}
	s.pull.Lock()
	defer s.pull.Unlock()
	if _, err := s.engine.ImageInspect(ctx, name); !errdefs.IsNotFound(err) {
		return err
	}
	host := registry.Host(ref)
	auth, _, err := registry.Credentials{Dir: registry.Dir(s.o.Getenv, s.o.Home)}.Encoded(ctx, host)
	if err != nil {
		return err
	}
	body, err := s.engine.ImagePull(ctx, reference.TagNameOnly(ref).String(), image.PullOptions{RegistryAuth: auth})
	if err == nil {
		err = jsonmessage.DisplayJSONMessagesStream(body, discard{}, 0, false, nil)
		body.Close()
	}
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fault.New(fault.NotFound,
			i18n.M("Image {{.Image}} does not exist on this machine and could not be pulled: {{.Error}}.", "Image", name, "Error", strings.TrimSuffix(err.Error(), ".")),
			i18n.M("Check the image name. If the image is private, log in with 'docker login {{.Registry}}'.", "Registry", host)).Because(err)
	}
	return nil
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
