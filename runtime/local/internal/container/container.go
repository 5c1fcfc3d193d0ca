// Package container runs actions in containers, using Docker Engine or another engine with the same API.
//
// The package pulls images, creates and removes containers and sets up their network. It does not decide when
// containers are reused or how many there are (package invoker), it does not implement the action protocol, and it does
// not search for an engine (package images/engine).
//
// # How a container reaches the endpoint
//
// The client's configuration contains the store's URL, http://127.0.0.1:PORT, and the client passes this URL to its
// workers in functions and in payloads. Therefore 127.0.0.1:PORT must lead to the store from inside a container too.
// The host's network would achieve that, but then an action could listen on the host's addresses (the Lithops proxies
// listen on all of them) and could reach every service on the host's loopback interface. Instead, a small forwarder
// (forward.py) runs next to the action in its container. It listens on the container's loopback interface and forwards
// connections to the engine's bridge. The endpoint listens on the bridge too (BridgeAddress) and requires credentials
// there as well. The forwarder works with any image that contains Python, regardless of the image's action proxy.
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

// label is the label of every container. Its value is the directory of the endpoint that the container belongs to.
const label = "fn-runtime.endpoint"

// Options configures a Starter. The zero value of a field means its default.
type Options struct {
	Dir        string // identifies the endpoint; New removes containers that an earlier starter with the same Dir left behind
	Forward    []int  // ports of the endpoint that are forwarded from the container's loopback interface
	Getenv     func(string) string
	Home       string        // user's home directory, which contains the settings of engines and registries
	PauseAfter time.Duration // how long an idle container runs before it is paused; default 5 s
}

// Starter starts containers. It implements sandbox.Starter.
type Starter struct {
	o      Options
	engine *engine.Engine
	direct bool // the engine's bridge is an interface of this machine, so containers are reached at their own addresses
	pull   sync.Mutex
}

// New finds the engine and returns a starter. If an earlier starter with the same Dir was killed, New removes the
// containers that it left behind.
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

// Close removes all remaining containers.
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

// BridgeAddress returns this machine's address on the engine's default bridge. It returns "" if the bridge is not on
// this machine but in a virtual machine. In that case host.docker.internal leads to this machine's loopback interface.
func (s *Starter) BridgeAddress(ctx context.Context) (string, error) {
	bridge, err := s.engine.NetworkInspect(ctx, "bridge", network.InspectOptions{})
	if errdefs.IsNotFound(err) { // podman
		bridge, err = s.engine.NetworkInspect(ctx, "podman", network.InspectOptions{})
	}
	if err != nil {
		return "", unavailable(err)
	}
	// Find the interface by name, not by subnet: the local network may use the same subnet.
	bridgeInterface, err := net.InterfaceByName(bridge.Options["com.docker.network.bridge.name"])
	if err != nil {
		return "", nil
	}
	addresses, err := bridgeInterface.Addrs()
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

// ensureImage pulls an image if it does not exist on this machine. It pulls one image at a time. It returns a
// fault.Invalid error if the name is empty or invalid and a fault.NotFound error if the pull fails.
func (s *Starter) ensureImage(ctx context.Context, name string) error {
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
