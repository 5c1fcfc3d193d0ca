// Package network checks that services are reached for all forms of their addresses. Proxies, authorities and time
// limits are in test/host, where IBM Cloud is imitated under its own host names.
package network

import (
	"context"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fn-runtime/runtime/local/cloud"
)

// Endpoints with literal IPv6 addresses work for the compute service and the store, from deployment to deletion.
func TestIPv6Literals(t *testing.T) {
	c := cloud.Open(t, t.TempDir(), nil)
	u := c.NewClient(t, "openwhisk", cloud.Lithops(t, ""))
	config := c.ClientConfig("openwhisk")
	counts := map[string]*atomic.Int64{}
	for _, service := range []string{cloud.OpenWhisk, cloud.S3} {
		address, n := relay(t, c.Host(service))
		config = strings.ReplaceAll(config, c.URL(service), "https://"+address)
		counts[service] = n
	}
	if !strings.Contains(config, "https://[::1]:") || strings.Contains(config, "127.0.0.1") {
		t.Fatalf("the configuration is not what the test wants:\n%s", config)
	}
	u.Write(t, ".lithops/config", config)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	for _, step := range []struct{ line, says string }{
		{"deploy {registry}/me/image:1", "/me/image:1"}, {"list --output json", "/me/image:1"}, {"delete all -f", "/me/image:1"}, {"list --output json", "[]"},
	} {
		if a := u.Binary(ctx, t, step.line); a.Status != 0 || !strings.Contains(a.Out, step.says) {
			t.Fatal(a)
		}
	}
	for service, n := range counts {
		if n.Load() == 0 {
			t.Errorf("%s was not reached over IPv6", service)
		}
	}
}

// relay listens on the IPv6 loopback and forwards bytes to target. It counts connections.
func relay(t *testing.T, target string) (address string, connections *atomic.Int64) {
	t.Helper()
	listener, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		t.Fatalf("this machine has no IPv6 loopback: %v", err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	connections = new(atomic.Int64)
	go func() {
		for {
			in, err := listener.Accept()
			if err != nil {
				return
			}
			connections.Add(1)
			go func() {
				defer in.Close()
				out, err := net.Dial("tcp", target)
				if err != nil {
					return
				}
				defer out.Close()
				go func() {
					_, _ = io.Copy(out, in)
					_ = out.(*net.TCPConn).CloseWrite()
				}()
				_, _ = io.Copy(in, out)
			}()
		}
	}()
	return listener.Addr().String(), connections
}
