//go:build linux

package secrets

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"fn-runtime/runtime/local/cloud"
	"fn-runtime/test/harness"
)

// proxyPassword is the password in HTTPS_PROXY. Programs that need the network inherit this variable, but the password
// must not appear in a command line, a file or an output.
const proxyPassword = "sEcReT-proxy-password-0123456789"

// TestNoSecretInOtherProcesses watches every process that commands start on the local endpoint - the endpoint, the
// Python that locates Lithops, the Pythons of actions - while they run. No command line and no environment contains a
// secret of the session or of the configuration.
func TestNoSecretInOtherProcesses(t *testing.T) {
	s := harness.NewStage(t)
	python, ok := harness.FindPython("3.11")
	if !ok {
		python = harness.Python(t, "3.12")
	}
	s.Env = append(s.Env, "IBMCLOUD_API_KEY="+planted["CLI's API key"], "BLUEMIX_API_KEY="+planted["CLI's API key"],
		"HTTPS_PROXY=http://me:"+proxyPassword+"@127.0.0.1:9", "NO_PROXY=127.0.0.1,localhost", "PYTHONPATH="+filepath.Dir(cloud.Lithops(t, "")))
	files := map[string]string{
		".lithops/config":      fmt.Sprintf("ibm: {iam_api_key: %s}\nminio: {endpoint: 'https://127.0.0.1:9', access_key_id: a, secret_access_key: %s}\n", planted["IAM API key"], planted["HMAC secret"]),
		".bluemix/config.json": fmt.Sprintf(`{"IAMToken":"Bearer %s","IAMRefreshToken":%q,"Region":"us-south"}`, planted["session token"], planted["refresh token"]),
	}
	for name, text := range files {
		path := filepath.Join(s.Home, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w := watch(t, s.Home)
	for _, args := range [][]string{{"local", "start", "--python", python}, {"deploy", "default", "-b", "local", "--python", python}, {"list", "-b", "local"}, {"invoke", "default", "-b", "local", "--python", python}} {
		r := s.Try(2*time.Minute, s.Bin, args...)
		w.commands(t, args, r.Stdout+r.Stderr)
	}
	endpoint := s.Endpoint()
	w.stop()
	if len(w.seen) < 3 {
		t.Errorf("only %d processes were seen: %v", len(w.seen), w.seen)
	}
	for what, text := range w.seen {
		line, _, _ := strings.Cut(text, "\x01")
		own := filepath.Base(strings.Split(line, "\x00")[0]) == filepath.Base(s.Bin) && !strings.Contains(line, "local\x00run")
		if own { // the command itself has the environment that its user set
			text = line
		}
		for _, name := range find(text, planted) {
			t.Errorf("%s in process %s: %q", name, what, line)
		}
		for name, secret := range map[string]string{"proxy password": proxyPassword, "endpoint's token": endpoint.Token, "endpoint's key": endpoint.SecretKey} {
			if strings.Contains(line, secret) || name != "proxy password" && strings.Contains(text, secret) {
				t.Errorf("%s in process %s: %q", name, what, line)
			}
		}
	}
	t.Logf("%d processes searched", len(w.seen))
	inFiles(t, s.Home, files)
	if *write && !t.Failed() {
		harness.Figure(t, "Secrets: processes searched", fmt.Sprint(len(w.seen)))
	}
}

// inFiles searches every file that commands have created for planted secrets, and checks that other users cannot read
// the files.
func inFiles(t *testing.T, home string, ours map[string]string) {
	t.Helper()
	secrets := map[string]string{"proxy password": proxyPassword}
	maps.Copy(secrets, planted)
	err := filepath.WalkDir(home, func(path string, d os.DirEntry, err error) error {
		name, _ := filepath.Rel(home, path)
		if _, planted := ours[name]; err != nil || planted || !d.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, secret := range find(string(data), secrets) {
			t.Errorf("%s in the file %s", secret, name)
		}
		if strings.HasSuffix(d.Name(), "-bundle.pem") {
			return nil // certificates, which workers in containers read as another user
		}
		if info, err := d.Info(); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// watcher reads /proc repeatedly.
type watcher struct {
	seen map[string]string // by process and name: command line, a byte 1, environment
	done chan struct{}
	all  sync.WaitGroup
}

// watch follows all processes whose environment or command line contains a home directory.
func watch(t *testing.T, home string) *watcher {
	t.Helper()
	w := &watcher{seen: map[string]string{}, done: make(chan struct{})}
	w.all.Go(func() {
		for {
			select {
			case <-w.done:
				return
			case <-time.After(3 * time.Millisecond):
			}
			dirs, _ := filepath.Glob("/proc/[0-9]*")
			for _, dir := range dirs {
				env, _ := os.ReadFile(filepath.Join(dir, "environ"))
				line, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
				if bytes.Contains(env, []byte(home)) || bytes.Contains(line, []byte(home)) {
					w.seen[filepath.Base(dir)+" "+string(line)] = string(line) + "\x01" + string(env)
				}
			}
		}
	})
	return w
}

func (w *watcher) stop() {
	close(w.done)
	w.all.Wait()
}

func (w *watcher) commands(t *testing.T, args []string, output string) {
	t.Helper()
	secrets := map[string]string{"proxy password": proxyPassword}
	maps.Copy(secrets, planted)
	for _, name := range find(output, secrets) {
		t.Errorf("%s in the output of %v:\n%s", name, args, output)
	}
}

// TestNoSecretInADump sends SIGQUIT to a command that waits for a response. Go then dumps all goroutines.
// GOTRACEBACK=system adds the frames of the runtime.
func TestNoSecretInADump(t *testing.T) {
	c := cloud.Open(t, t.TempDir(), nil)
	for _, backend := range []string{"openwhisk", "ibm_cf"} {
		u := c.NewClient(t, backend, cloud.Lithops(t, ""))
		u.Login(t)
		plant(t, u, backend)
		l, err := net.Listen("tcp", "127.0.0.1:0") // accepts connections and sends nothing
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		connected := make(chan struct{}, 100)
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				defer conn.Close()
				connected <- struct{}{}
			}
		}()
		cmd := u.Command(t, "list")
		cmd.Env = append(cmd.Env, "GOTRACEBACK=system", "IBMCLOUD_API_KEY="+planted["CLI's API key"], "HTTPS_PROXY=http://me:"+proxyPassword+"@"+l.Addr().String())
		for i, pair := range cmd.Env {
			if strings.HasPrefix(pair, "IBMCLOUD_HOME=") {
				config := filepath.Join(u.Home, ".lithops", "config")
				data, err := os.ReadFile(config)
				if err != nil {
					t.Fatal(err)
				}
				for _, service := range []string{cloud.OpenWhisk, cloud.S3} { // not on loopback, so that requests use the proxy
					data = bytes.ReplaceAll(data, []byte(c.URL(service)), []byte("https://192.0.2."+strconv.Itoa(i+1)))
				}
				if err := os.WriteFile(config, data, 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
		dump := quit(t, cmd, connected)
		secrets := map[string]string{"proxy password": proxyPassword}
		maps.Copy(secrets, planted)
		for _, name := range find(dump, secrets) {
			t.Errorf("%s in the dump", name)
		}
		if !strings.Contains(dump, "goroutine 1") || !strings.Contains(dump, "SIGQUIT") {
			t.Errorf("this is no dump: %.500s", dump)
		}
	}
}

// quit starts a command, waits until it has connected, and returns its output after SIGQUIT.
func quit(t *testing.T, cmd *exec.Cmd, connected <-chan struct{}) string {
	t.Helper()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	defer context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })()
	select {
	case <-connected:
		time.Sleep(200 * time.Millisecond) // the request has been sent
	case <-ctx.Done():
		t.Errorf("it never connected")
	}
	_ = cmd.Process.Signal(syscall.SIGQUIT)
	_ = cmd.Wait()
	return out.String()
}
