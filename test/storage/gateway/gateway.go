// Package gateway starts versitygw, an independent S3 server that is used in production, on a local directory. Tests
// and benchmarks use it to check our use of object storage.
package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// version is the release that is used. It is built once from the Go module proxy and kept in the cache.
const version = "v1.8.0"

const module = "github.com/versity/versitygw/cmd/versitygw@" + version

// The credentials of the server's only account.
const (
	AccessKey = "gatewaykey"
	SecretKey = "gatewaysecret"
)

// Gateway is a running server.
type Gateway struct {
	URL  string
	Root string // each subdirectory is a bucket
	cmd  *exec.Cmd
	done chan struct{}
	log  *bytes.Buffer
}

// Install returns the path of the server's binary. It builds a missing binary below cache.
func Install(ctx context.Context, cache string) (string, error) {
	dir, err := filepath.Abs(filepath.Join(cache, "versitygw-"+version))
	if err != nil {
		return "", err
	}
	bin := filepath.Join(dir, "versitygw")
	if _, err := os.Stat(bin); err == nil {
		return bin, nil
	}
	cmd := exec.CommandContext(ctx, "go", "install", module)
	cmd.Env = append(os.Environ(), "GOBIN="+dir, "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building %s: %w\n%s", module, err, out)
	}
	return bin, nil
}

// Start runs the server on a free loopback port with its buckets below dir. The caller must call Stop. Metadata is
// stored in extended attributes, or in files if the file system does not support them.
func Start(ctx context.Context, bin, dir string) (*Gateway, error) {
	g, err := start(ctx, bin, dir)
	if err != nil {
		sidecar := filepath.Join(dir, "metadata")
		if err := os.MkdirAll(sidecar, 0o700); err != nil {
			return nil, err
		}
		g, err = start(ctx, bin, dir, "--sidecar", sidecar)
	}
	return g, err
}

func start(ctx context.Context, bin, dir string, options ...string) (*Gateway, error) {
	g := &Gateway{Root: filepath.Join(dir, "buckets"), log: &bytes.Buffer{}, done: make(chan struct{})}
	if err := os.MkdirAll(g.Root, 0o700); err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	address := l.Addr().String()
	l.Close()
	g.URL = "http://" + address
	g.cmd = exec.Command(bin, "--port", address, "--quiet", "posix")
	g.cmd.Args = append(append(g.cmd.Args, options...), g.Root)
	g.cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+AccessKey, "ROOT_SECRET_KEY="+SecretKey)
	g.cmd.Stdout, g.cmd.Stderr = g.log, g.log
	if err := g.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { _ = g.cmd.Wait(); close(g.done) }()
	if err := g.ready(ctx); err != nil {
		g.Stop()
		return nil, fmt.Errorf("%w\n%s", err, g.log)
	}
	return g, nil
}

// ready waits until the server responds.
func (g *Gateway) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for tick := time.NewTicker(20 * time.Millisecond); ; {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, g.URL, nil)
		if err != nil {
			return err
		}
		if resp, err := http.DefaultClient.Do(req); err == nil {
			resp.Body.Close()
			return nil
		}
		select {
		case <-tick.C:
		case <-g.done:
			return errors.New("versitygw ended")
		case <-ctx.Done():
			return errors.New("versitygw did not answer in time")
		}
	}
}

// Stop stops the server.
func (g *Gateway) Stop() {
	_ = g.cmd.Process.Kill()
	<-g.done
}
