// Package completion tests the completion script of the built binary in real interactive shells. It types into a
// pseudo-terminal, presses TAB, and checks the resulting line and the whole screen.
package completion

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"

	"fn-runtime/test/harness"
)

// shells lists the shells that the completion script is tested in. Each starts without user files, loads the script,
// and uses Emacs keys.
var shells = []struct {
	name string
	args []string
	rc   func(t *testing.T, s *harness.Stage, script string) (setup string)
}{
	{"bash", []string{"--noprofile", "--norc", "-i"}, func(_ *testing.T, _ *harness.Stage, script string) string {
		return "bind 'set enable-bracketed-paste off'; . /usr/share/bash-completion/bash_completion; . " + script
	}},
	{"zsh", []string{"-f", "-i"}, func(t *testing.T, s *harness.Stage, script string) string {
		dir := filepath.Join(s.Home, "zsh")
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(script, filepath.Join(dir, "_fn-runtime")); err != nil {
			t.Fatal(err)
		}
		return "bindkey -e; unsetopt prompt_cr; fpath=(" + dir + " $fpath); autoload -U compinit; compinit -u -d " + filepath.Join(s.Home, "zcompdump")
	}},
	{"fish", []string{"--no-config", "-i"}, func(_ *testing.T, _ *harness.Stage, script string) string {
		return "source " + script
	}},
}

// cases lists the text before TAB and the line after it. RUNTIME is replaced by the name of the deployed runtime.
var cases = []struct{ typed, line string }{
	{"dep", "deploy"},
	{"local sta", "local sta"}, // start and status: their common prefix
	{"local log", "local logs"},
	{"list --back", "list --backend"},
	{"list -b open", "list -b openwhisk"},
	{"list -r us-s", "list -r us-south"},
	{"delete -b local docker.io/li", "delete -b local RUNTIME"},
	{"show -b local docker.io/lithopscloud/openwhisk-python-v", "show -b local RUNTIME"},
	{"list -b local --namespace gu", "list -b local --namespace guest"},
	{"help env", "help environment"},
	{"completion power", "completion powershell"},
}

func TestShells(t *testing.T) {
	venv := harness.Venv(t, "3.11", "lithops", "boto3")
	for _, shell := range shells {
		t.Run(shell.name, func(t *testing.T) {
			path, err := exec.LookPath(shell.name)
			if err != nil {
				harness.Missing(t, "%s is not installed", shell.name)
			}
			s := stage(t, venv)
			s.FnRuntime("deploy", "default", "-b", "local", "-q")
			runtime := strings.Fields(s.FnRuntime("list", "-b", "local", "-q").Stdout)
			name := ""
			for _, word := range runtime {
				if strings.HasPrefix(word, "docker.io/") {
					name = word
				}
			}
			script := filepath.Join(s.Home, "completion."+shell.name)
			if err := os.WriteFile(script, []byte(s.FnRuntime("completion", shell.name).Stdout), 0o600); err != nil {
				t.Fatal(err)
			}
			term := open(t, s, path, shell.args)
			term.runCommand(shell.rc(t, s, script))
			for _, c := range cases {
				got, screen := term.complete("fn-runtime " + c.typed)
				want := "fn-runtime " + strings.ReplaceAll(c.line, "RUNTIME", name)
				if got != want {
					t.Errorf("%q became %q, want %q\n%s", c.typed, got, want, screen)
				}
				if bad := trouble.FindString(screen); bad != "" {
					t.Errorf("%q: %q is on the screen:\n%s", c.typed, bad, screen)
				}
			}
		})
	}
}

// trouble matches text that must not appear while a user types.
var trouble = regexp.MustCompile(`(?i)error|failed|panic|goroutine|command not found|no such file|completion ended`)

func stage(t *testing.T, venv string) *harness.Stage {
	s := harness.NewStage(t)
	s.Env = []string{"VIRTUAL_ENV=" + venv, "PATH=" + filepath.Dir(s.Bin) + ":" + os.Getenv("PATH"), "TERM=xterm-256color", "LC_ALL=C.UTF-8", "PS1=$ "}
	return s
}

// terminal is a shell in a pseudo-terminal.
type terminal struct {
	t    *testing.T
	file *os.File
	mu   sync.Mutex
	out  strings.Builder
	n    int
}

func open(t *testing.T, s *harness.Stage, path string, args []string) *terminal {
	t.Helper()
	cmd := exec.Command(path, args...)
	cmd.Dir = s.Dir
	cmd.Env = append([]string{"HOME=" + s.Home, "IBMCLOUD_HOME=" + s.Home, "TMPDIR=" + filepath.Join(s.Home, "tmp")}, s.Env...)
	file, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 50, Cols: 400})
	if err != nil {
		t.Fatal(err)
	}
	term := &terminal{t: t, file: file}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = file.Close()
	})
	go term.read()
	return term
}

func (m *terminal) read() {
	buf := make([]byte, 4096)
	for {
		n, err := m.file.Read(buf)
		m.mu.Lock()
		m.out.Write(buf[:n])
		m.mu.Unlock()
		if strings.Contains(string(buf[:n]), "\x1b[c") || strings.Contains(string(buf[:n]), "\x1b[0c") {
			_, _ = m.file.WriteString("\x1b[?62;22c") // a terminal's response to a device attributes query
		}
		if err != nil {
			return
		}
	}
}

func (m *terminal) screen() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.out.String()
}

func (m *terminal) send(s string) {
	m.t.Helper()
	if _, err := m.file.WriteString(s); err != nil {
		m.t.Fatalf("%v\n%s", err, m.screen())
	}
}

// waitFor waits until the screen output after position from matches.
func (m *terminal) waitFor(from int, re *regexp.Regexp) []string {
	m.t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if found := re.FindStringSubmatch(m.screen()[from:]); found != nil {
			return found
		}
	}
	m.t.Fatalf("waiting for %s:\n%q", re, m.screen()[from:])
	return nil
}

// settle waits until the screen has not changed for a while, because a shell does not report the end of a completion.
func (m *terminal) settle() {
	for last, since := "", time.Now(); time.Since(since) < 400*time.Millisecond; time.Sleep(20 * time.Millisecond) {
		if now := m.screen(); now != last {
			last, since = now, time.Now()
		}
	}
}

// runCommand runs a command and waits for its end.
func (m *terminal) runCommand(command string) {
	m.t.Helper()
	m.n++
	from := len(m.screen())
	m.send(command + "; echo END-''" + fmt.Sprint(m.n) + "\r")
	m.waitFor(from, regexp.MustCompile(fmt.Sprintf(`END-%d\r?\n`, m.n)))
}

// complete types a line and TAB. It returns the resulting line and the screen output until then.
func (m *terminal) complete(typed string) (line, screen string) {
	m.t.Helper()
	m.n++
	from := len(m.screen())
	m.send(typed + "\t")
	m.settle()
	screen = m.screen()[from:]
	from = len(m.screen())
	m.send(fmt.Sprintf("\x01echo LINE-''%d: \x05 :END\r", m.n)) // moves home, inserts echo, moves to the end
	found := m.waitFor(from, regexp.MustCompile(fmt.Sprintf(`LINE-%d: (.*?) +:END\r?\n`, m.n)))
	m.settle()
	return strings.TrimSpace(strings.ReplaceAll(found[1], `\`, "")), screen
}

// If a service or an engine accepts a connection and never responds, completion still returns promptly.
func TestSilentServiceBlocksNothing(t *testing.T) {
	hang := make(chan struct{})
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hang }))
	defer server.Close()
	engine := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hang }))
	defer engine.Close()
	defer close(hang)
	s := stage(t, harness.Venv(t, "3.11", "lithops", "boto3"))
	s.Env = append(s.Env, "DOCKER_HOST=tcp://"+engine.Listener.Addr().String())
	config := fmt.Sprintf("lithops:\n  backend: openwhisk\n  storage: minio\nopenwhisk:\n  endpoint: %s\n  namespace: guest\n  api_key: a:b\n  insecure: true\nminio:\n  endpoint: http://127.0.0.1:1\n  access_key_id: a\n  secret_access_key: b\n  storage_bucket: c\n", server.URL)
	if err := os.WriteFile(filepath.Join(s.Dir, ".lithops_config"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ command, offered string }{{"delete", "default\nall\n"}, {"list --namespace", ""}, {"build", ""}} {
		fastest := time.Hour
		for range 10 {
			r := s.Run(time.Minute, s.Bin, append(append([]string{"SendCompletion", "fn-runtime"}, strings.Fields(tc.command)...), "")...)
			if r.Stdout != tc.offered || r.Stderr != "" {
				t.Fatalf("%s: %+v", tc.command, r)
			}
			fastest = min(fastest, r.Took)
		}
		// The load of the machine must not matter, so the best of ten runs counts.
		if fastest > time.Second {
			t.Errorf("%s: completion took %s", tc.command, fastest)
		}
	}
}

// Runtimes that an earlier list returned are offered when the service is unreachable.
func TestSeenRuntimesAreRemembered(t *testing.T) {
	s := stage(t, harness.Venv(t, "3.11", "lithops", "boto3"))
	s.FnRuntime("deploy", "default", "-b", "local", "-q")
	s.FnRuntime("deploy", "me/other:1.0", "-b", "local", "-q")
	s.FnRuntime("list", "-b", "local", "-q")
	s.FnRuntime("local", "stop", "-q")
	r := s.FnRuntime("SendCompletion", "fn-runtime", "delete", "-b", "local", "")
	if !strings.Contains(r.Stdout, "docker.io/me/other:1.0\n") || !strings.Contains(r.Stdout, "docker.io/lithopscloud/openwhisk-python-v311\n") {
		t.Errorf("got %+v, want docker.io/me/other:1.0 and the default runtime", r)
	}
	if r := s.FnRuntime("local", "status", "-q"); strings.Contains(r.Stdout, "https://") {
		t.Errorf("completion has started the endpoint: %s", r.Stdout)
	}
}

// Completion prints no error, whatever is broken: a session that is not JSON, a configuration that is not YAML, no
// engine, no home.
func TestCompletionPrintsNoErrors(t *testing.T) {
	s := stage(t, "/nonexistent")
	s.Env = append(s.Env, "DOCKER_HOST=unix:///nonexistent", "IBMCLOUD_TRACE=true", "LITHOPS_CONFIG={", "HOME=/nonexistent/home")
	conf := filepath.Join(s.Home, ".bluemix")
	if err := os.MkdirAll(conf, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(conf, "config.json"), []byte("{broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, words := range [][]string{
		{"fn-runtime", "delete", ""}, {"fn-runtime", "build", ""}, {"fn-runtime", "list", "--namespace", ""}, {"fn-runtime", "nonsense", ""},
		{"fn-runtime", "list", "--nonsense", ""}, {"fn-runtime", "deploy", "-b", "nonsense", ""}, {}, {""}, {"fnr", "local", ""},
	} {
		r := s.Try(time.Minute, s.Bin, append([]string{"SendCompletion"}, words...)...)
		if r.Code != 0 || r.Stderr != "" || trouble.MatchString(r.Stdout) {
			t.Errorf("%q: %+v", words, r)
		}
	}
}

// Completion offers the images of this machine's engine to build and deploy.
func TestImagesOfTheEngine(t *testing.T) {
	if exec.CommandContext(context.Background(), "docker", "info").Run() != nil {
		harness.Missing(t, "no Docker Engine answers")
	}
	s := stage(t, "/nonexistent")
	tag := "fn-runtime-completion-test:1"
	build := exec.Command("sh", "-c", "tar -c -T /dev/null | docker import - "+tag)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Cleanup(func() { _ = exec.Command("docker", "rmi", "-f", tag).Run() })
	for _, command := range []string{"build", "deploy"} {
		if r := s.FnRuntime("SendCompletion", "fn-runtime", command, "fn-runtime-completion"); r.Stdout != tag+"\n" {
			t.Errorf("%s: %+v", command, r)
		}
	}
}

// Completion does not offer names that a shell would execute, because the server chooses the names.
func TestHostileNames(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/namespaces") {
			fmt.Fprint(w, `["good","$(reboot)","a b","\u001b[31mred","-rf","`+"`x`"+`"]`)
			return
		}
		fmt.Fprint(w, "[]")
	}))
	server.Listener = l
	server.StartTLS()
	defer server.Close()
	s := stage(t, harness.Venv(t, "3.11", "lithops", "boto3"))
	config := fmt.Sprintf("lithops:\n  backend: openwhisk\nopenwhisk:\n  endpoint: %s\n  namespace: guest\n  api_key: a:b\n  insecure: true\n", server.URL)
	if err := os.WriteFile(filepath.Join(s.Dir, ".lithops_config"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := s.FnRuntime("SendCompletion", "fn-runtime", "list", "--namespace", ""); r.Stdout != "good\n" {
		t.Errorf("got %+v, want good", r)
	}
}
