//go:build unix

package hostile

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"fn-runtime/runtime/local/cloud"
	"fn-runtime/test/harness"
)

// pipe replaces a file by a pipe that no process has open.
func pipe(t *testing.T, path string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(path, 0o700); err != nil {
		t.Fatal(err)
	}
}

// If any file of a directory or a home is a pipe, no command blocks on it.
func TestPipesDoNotBlockCommands(t *testing.T) {
	cl := cloud.Open(t, t.TempDir(), nil)
	lithops := cloud.Lithops(t, "")
	harness.Binary(t)
	var wg sync.WaitGroup
	defer wg.Wait()
	for _, tc := range []struct {
		file, line string
		env        string
	}{
		{"work/.lithops_config", "list", ""},
		{".lithops/config", "doctor", ""},
		{"work/given", "list -c given", ""},
		{"work/given", "list", "LITHOPS_CONFIG_FILE={file}"},
		{"work/runtimes.yaml", "apply runtimes.yaml --dry-run", ""},
		{".bluemix/config.json", "list", ""},
		{".docker/config.json", "build me/img:1 {home}/context", ""},
		{".docker/config.json", "deploy {registry}/me/img:1 --pin --dry-run", ""},
		{"context/Dockerfile", "build me/img:1 {home}/context", ""},
		{"context/.dockerignore", "build me/img:1 {home}/context", ""},
		{"context/Dockerfile.dockerignore", "build me/img:1 {home}/context", ""},
		{"work/bundle.pem", "list", "REQUESTS_CA_BUNDLE={file}"},
		{"work/trace", "list", "IBMCLOUD_TRACE={file}"},
		{"work/job", "run -- ./job", ""}, // work is the working directory of the commands
		{"certs/ca.pem", "build me/img:1 {home}/context", "DOCKER_TLS_VERIFY=1 DOCKER_HOST=tcp://127.0.0.1:9 DOCKER_CERT_PATH={home}/certs"},
		{"client/lithops/version.py", "list --lithops {home}/client/lithops", ""},
		{".lithops/cache/lithops.runtimes/openwhisk/3.7.0/guest/me_img-1_256MB_3.7.0.meta.json", "deploy me/img:1 --dry-run", ""},
	} {
		u := cl.NewClient(t, "openwhisk", lithops)
		u.Write(t, "context/Dockerfile", "FROM scratch\n")
		path := filepath.Join(u.Home, tc.file)
		pipe(t, path)
		cmd := u.Command(t, tc.line)
		if strings.Contains(tc.line, "--lithops") {
			cmd.Args = cmd.Args[:len(cmd.Args)-2]
		}
		env := strings.Fields(strings.NewReplacer("{home}", u.Home, "{file}", path).Replace(tc.env))
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			if a := cloud.Finish(ctx, t, cmd, env...); ctx.Err() != nil {
				t.Errorf("a pipe as %s: it waits: %s", tc.file, a)
			}
		})
	}
}

// A command may block in library code: when the Go runtime reads the bundle of certificates. One signal still
// ends it within seconds.
func TestOneSignalEndsABlockedCommand(t *testing.T) {
	u := cloud.Open(t, t.TempDir(), nil).NewClient(t, "openwhisk", cloud.Lithops(t, ""))
	bundle := filepath.Join(u.Home, "bundle.pem")
	pipe(t, bundle)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := u.Command(t, "list")
	go func() {
		w, err := os.OpenFile(bundle, os.O_WRONLY, 0) // returns when the command opens the file
		if err != nil {
			t.Error(err)
			return
		}
		_ = cmd.Process.Signal(syscall.SIGTERM)
		<-ctx.Done()
		_ = w.Close()
	}()
	if a := cloud.Finish(ctx, t, cmd, "SSL_CERT_FILE="+bundle); a.Status != 130 {
		t.Errorf("%s", a)
	}
}
