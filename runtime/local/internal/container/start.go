package container

import (
	"bufio"
	"context"
	"crypto/rand"
	_ "embed"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"
	"github.com/docker/go-connections/nat"
	"golang.org/x/sync/errgroup"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/local/internal/sandbox"
)

//go:embed forward.py
var forwarder string

// proxyPort is the port on which the action proxy of a container listens, as OpenWhisk's action protocol specifies.
const proxyPort = nat.Port("8080/tcp")

// startTimeout is how long a container may take to start, until its proxy responds.
const startTimeout = time.Minute

// Start pulls the image if it is missing and starts a container. It returns a fault.Failed error with the last lines of
// the container's log if the container ends or its proxy does not respond within a minute.
func (s *Starter) Start(ctx context.Context, spec sandbox.Spec) (sandbox.Sandbox, error) {
	if err := s.ensureImage(ctx, spec.Image); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	config, host := s.configuration(spec)
	if spec.InjectProxy {
		if err := s.injectProxy(ctx, config, host); err != nil {
			return nil, err
		}
	}
	created, err := s.create(ctx, config, host)
	if err != nil {
		return nil, unavailable(err)
	}
	b := &box{engine: s.engine, id: created.ID, pauseAfter: s.o.PauseAfter,
		logs: sandbox.NewLogs(time.Now, spec.LogLimit()), done: make(chan struct{})}
	if err := s.run(ctx, b); err != nil {
		exited := false
		select {
		case <-b.done:
			exited = true
		default:
		}
		lines := b.logs.Take()
		b.Close()
		if exited || errors.Is(err, context.DeadlineExceeded) {
			return nil, fault.New(fault.Failed, i18n.M("A container of image {{.Image}} started, but no action proxy responds on its port 8080.", "Image", spec.Image),
				i18n.M("Build the image from a Dockerfile skeleton that 'ibmcloud fn-runtime init' writes.")).With(lines[max(0, len(lines)-10):]...).Because(err)
		}
		return nil, err
	}
	return b, nil
}

// namePrefix is the prefix of container names. It identifies the containers in the output of 'docker ps'.
const namePrefix = "fn-runtime-action-"

// createTimeout is how long the engine may take to create a container.
const createTimeout = 30 * time.Second

// create creates a container. If ctx ends during the request, create still waits for the response and then removes the
// container: the engine would create it anyway, and without the response its ID would be unknown.
func (s *Starter) create(ctx context.Context, config *container.Config, host *container.HostConfig) (container.CreateResponse, error) {
	if err := ctx.Err(); err != nil {
		return container.CreateResponse{}, err
	}
	uncanceled, cancel := context.WithTimeout(context.WithoutCancel(ctx), createTimeout)
	defer cancel()
	created, err := s.engine.ContainerCreate(uncanceled, config, host, namePrefix+strings.ToLower(rand.Text()[:12]))
	if err == nil && ctx.Err() != nil {
		_ = s.engine.ContainerRemove(uncanceled, created.ID, container.RemoveOptions{Force: true, RemoveVolumes: true})
		err = ctx.Err()
	}
	return created, err
}

// configuration returns the configuration of a container. It mounts every file that an environment variable names.
func (s *Starter) configuration(spec sandbox.Spec) (*container.Config, *container.HostConfig) {
	env := []string{"PORT=8080", "FLASK_PROXY_PORT=8080"}
	if len(s.o.Forward) > 0 {
		env = append(env, "NO_PROXY=127.0.0.1,localhost", "no_proxy=127.0.0.1,localhost")
	}
	// The endpoint's action proxy exits when its stdin is closed, which happens when this process ends.
	env = append(env, "PROXY_LIFELINE=0")
	var binds []string
	for name, value := range spec.Env {
		bind := value + ":" + value + ":ro" // such as the endpoint's CA bundle, which several variables name
		if info, err := os.Stat(value); err == nil && filepath.IsAbs(value) && info.Mode().IsRegular() && !slices.Contains(binds, bind) {
			binds = append(binds, bind)
		}
		env = append(env, name+"="+value)
	}
	published := nat.PortMap{proxyPort: {{HostIP: "127.0.0.1"}}}
	if s.direct { // do not publish the port: that costs a process and firewall rules for each container
		published = nil
	}
	memory, pids := int64(spec.MemoryMB)<<20, int64(1024) // as in OpenWhisk: no swap, at most 1024 processes
	return &container.Config{
			Image: spec.Image, Env: env, Labels: map[string]string{label: s.o.Dir},
			ExposedPorts: nat.PortSet{proxyPort: {}},
			OpenStdin:    true, StdinOnce: true, AttachStdin: true, AttachStdout: true, AttachStderr: true,
		}, &container.HostConfig{
			Binds:        binds,
			PortBindings: published,
			ExtraHosts:   []string{"host.docker.internal:host-gateway"},
			CapDrop:      []string{"NET_RAW", "NET_ADMIN"},
			SecurityOpt:  []string{"no-new-privileges"},
			Resources:    container.Resources{Memory: memory, MemorySwap: memory, PidsLimit: &pids},
			LogConfig:    container.LogConfig{Type: "none"}, // the logs are read from the attached streams
		}
}

// run starts the container and waits until its proxy responds and the ports are forwarded.
func (s *Starter) run(ctx context.Context, b *box) error {
	streams, err := s.engine.ContainerAttach(ctx, b.id, container.AttachOptions{Stream: true, Stdin: true, Stdout: true, Stderr: true})
	if err != nil {
		return unavailable(err)
	}
	b.attached = streams
	outR, outW := io.Pipe()
	errR, errW := io.Pipe()
	b.logs.Follow("stdout", outR)
	b.logs.Follow("stderr", errR)
	go func() {
		_, err := stdcopy.StdCopy(outW, errW, streams.Reader)
		outW.CloseWithError(err)
		errW.CloseWithError(err)
	}()
	waiting, cancel := context.WithCancel(context.WithoutCancel(ctx))
	b.stopWait = cancel
	ended, failed := s.engine.ContainerWait(waiting, b.id, container.WaitConditionNextExit)
	go b.wait(ended, failed)
	if err := s.engine.ContainerStart(ctx, b.id, container.StartOptions{}); err != nil {
		return unavailable(err)
	}
	info, err := s.engine.ContainerInspect(ctx, b.id)
	if err != nil {
		return unavailable(err)
	}
	if s.direct && info.State != nil {
		b.pid = info.State.Pid
	}
	if b.address = s.address(info.NetworkSettings); b.address == "" {
		select {
		case <-b.done: // the container has ended, which is why it has no address
		case <-time.After(time.Second):
		}
		return unavailable(errors.New("the container has no address"))
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return b.waitForProxy(ctx) })
	if len(s.o.Forward) > 0 {
		g.Go(func() error { return s.forward(ctx, b) })
	}
	return g.Wait()
}

// address returns the host and port of a container's proxy. It returns "" if the container has no address.
func (s *Starter) address(n *container.NetworkSettings) string {
	if n == nil {
		return ""
	}
	if published := n.Ports[proxyPort]; len(published) > 0 {
		return net.JoinHostPort("127.0.0.1", published[0].HostPort)
	}
	for _, e := range n.Networks {
		if s.direct && e != nil && e.IPAddress != "" {
			return net.JoinHostPort(e.IPAddress, proxyPort.Port())
		}
	}
	return ""
}

// forward starts the forwarder in the container and waits until it listens. If the forwarder cannot run, it only adds a
// note to the log.
func (s *Starter) forward(ctx context.Context, b *box) error {
	cmd := []string{"python3", "-c", forwarder}
	for _, port := range s.o.Forward {
		cmd = append(cmd, strconv.Itoa(port))
	}
	created, err := s.engine.ContainerExecCreate(ctx, b.id, container.ExecOptions{Cmd: cmd, AttachStdout: true, AttachStderr: true})
	if err != nil {
		return unavailable(err)
	}
	streams, err := s.engine.ContainerExecAttach(ctx, created.ID, container.ExecAttachOptions{})
	if err != nil {
		return unavailable(err)
	}
	b.forwarding = streams
	defer context.AfterFunc(ctx, streams.Close)()
	r, w := io.Pipe()
	go func() {
		_, _ = stdcopy.StdCopy(w, w, streams.Reader)
		w.Close()
	}()
	line, _ := bufio.NewReaderSize(r, 4096).ReadString('\n')
	go func() { _, _ = io.Copy(io.Discard, r) }()
	if strings.TrimSpace(line) != "ready" {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		// An image without Python can still run actions, but not those of Lithops.
		b.logs.Note("The container cannot reach the local endpoint: " + strings.TrimSpace(line))
	}
	return nil
}

// waitForProxy waits until the proxy responds to HTTP requests. An open connection is not sufficient, because the
// engine accepts connections before the container does.
func (b *box) waitForProxy(ctx context.Context) error {
	c := &http.Client{Transport: &http.Transport{DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return b.Dial(ctx) }}}
	for wait := 5 * time.Millisecond; ; wait = min(2*wait, 20*time.Millisecond) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://action/", nil)
		if err != nil {
			return err
		}
		resp, err := c.Do(req)
		if err == nil {
			resp.Body.Close()
			return nil
		}
		select {
		case <-time.After(wait):
		case <-b.done:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
