// Package host imitates the IBM Cloud CLI. It reads the metadata of the built binary, copies the binary to the CLI's
// plug-in directory, writes a session as 'ibmcloud login' does, and runs the commands with the CLI's arguments and
// environment. A proxy imitates IBM Cloud itself.
package host

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	sdk "github.com/IBM-Cloud/ibm-cloud-cli-sdk/plugin"
)

var binary string // built once by TestMain

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "fn-runtime-host")
	if err != nil {
		panic(err)
	}
	binary = filepath.Join(dir, "fn-runtime")
	build := exec.Command("go", "build", "-o", binary, "fn-runtime")
	build.Stderr = os.Stderr
	status := 1
	if build.Run() == nil {
		status = m.Run()
	}
	_ = os.RemoveAll(dir)
	os.Exit(status)
}

// cli is one installation of the CLI with the plug-in.
type cli struct {
	t    *testing.T
	home string // HOME of the user
	conf string // IBMCLOUD_CONFIG_HOME
	dir  string // working directory; the home directory if empty
	env  []string
}

func install(t *testing.T, config map[string]any) *cli {
	t.Helper()
	c := &cli{t: t, home: t.TempDir()}
	c.conf = filepath.Join(c.home, "conf")
	plugins := filepath.Join(c.conf, "plugins", "fn-runtime")
	if err := os.MkdirAll(plugins, 0o700); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(plugins, "fn-runtime"), data, 0o755); err != nil {
		t.Fatal(err)
	}
	if config != nil {
		data, err = json.Marshal(config)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(c.conf, "config.json"), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// result is the output and exit status of a run.
type result struct {
	status   int
	out, err string
}

// command returns a run that has not started.
func (c *cli) command(namespace string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(c.conf, "plugins", "fn-runtime", "fn-runtime"), args...)
	if cmd.Dir = c.dir; c.dir == "" {
		cmd.Dir = c.home
	}
	cmd.Env = append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + c.home, "LC_ALL=C",
		"IBMCLOUD_CONFIG_HOME=" + c.conf, "IBMCLOUD_CLI=ibmcloud", "BLUEMIX_CLI=ibmcloud",
		"IBMCLOUD_PLUGIN_NAMESPACE=" + namespace, "BLUEMIX_PLUGIN_NAMESPACE=" + namespace,
	}, c.env...)
	return cmd
}

// run runs a command as the host does: the namespace is in the environment, the command's name is the first argument.
func (c *cli) run(namespace string, args ...string) result {
	c.t.Helper()
	cmd := c.command(namespace, args...)
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	timer := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	err := cmd.Run()
	timer.Stop()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		c.t.Fatal(err)
	}
	return result{cmd.ProcessState.ExitCode(), out.String(), stderr.String()}
}

func (c *cli) metadata() sdk.PluginMetadata {
	c.t.Helper()
	a := c.run("", "SendMetadata")
	var m sdk.PluginMetadata
	if err := json.Unmarshal([]byte(a.out), &m); err != nil || a.status != 0 {
		c.t.Fatalf("%v, %+v", err, a)
	}
	return m
}

func TestHostReadsTheMetadata(t *testing.T) {
	m := install(t, nil).metadata()
	if m.Name != "fn-runtime" || len(m.Aliases) == 0 || m.Aliases[0] != "fnr" || !m.PrivateEndpointSupported {
		t.Errorf("got %+v, want fn-runtime, fnr and private endpoints", m)
	}
	if m.Version == (sdk.VersionType{}) || m.MinCliVersion == (sdk.VersionType{}) || m.SDKVersion == (sdk.VersionType{}) {
		t.Errorf("versions: %v, %v, %v", m.Version, m.MinCliVersion, m.SDKVersion)
	}
}

// The host can run every command in the metadata under its namespace and under each alias.
func TestHostRunsEveryCommand(t *testing.T) {
	c := install(t, map[string]any{"Locale": "en_US"})
	for _, cmd := range c.metadata().Commands {
		for _, name := range cmd.NameAndAliases() {
			a := c.run(cmd.Namespace, name, "--help")
			if a.status != 0 || !strings.Contains(strings.Join(strings.Fields(a.out), " "), "USAGE: "+strings.Fields(cmd.Usage)[0]) || a.err != "" {
				t.Errorf("%s %s: %+v", cmd.Namespace, name, a)
			}
			for _, f := range cmd.Flags {
				long := "--" + f.Name[strings.LastIndex(f.Name, ",")+1:]
				if !f.Hidden && !strings.Contains(a.out, long) {
					t.Errorf("%s: help lacks %s", name, long)
				}
			}
		}
	}
	if a := c.run("fn-runtime", "delpoy"); a.status != 2 || !strings.Contains(a.err, "Did you mean 'deploy'?") {
		t.Errorf("unknown command: %+v", a)
	}
	if a := c.run("fn-runtime", "help"); a.status != 0 || !strings.Contains(a.out, "COMMANDS:") {
		t.Errorf("help: %+v", a)
	}
}

func TestHostAsksForCompletion(t *testing.T) {
	c := install(t, nil)
	if a := c.run("", "SendCompletion", "fn-runtime", "local", "sta"); a.out != "start\nstatus\n" {
		t.Errorf("got %+v, want start and status", a)
	}
}

func TestHostsSettings(t *testing.T) {
	c := install(t, map[string]any{"Locale": "de_DE", "ColorEnabled": "true"})
	a := c.run("fn-runtime", "delete", "all")
	if a.status != 2 || !strings.HasPrefix(a.err, "\x1b[31;1mFEHLGESCHLAGEN\x1b[0m\n") {
		t.Errorf("locale and color of the configuration: %+v", a)
	}
	c.env = []string{"IBMCLOUD_COLOR=false"}
	if a := c.run("fn-runtime", "delete", "all"); strings.Contains(a.err, "\x1b") {
		t.Errorf("IBMCLOUD_COLOR=false: %q", a.err)
	}
}
