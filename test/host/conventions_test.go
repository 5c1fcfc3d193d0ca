package host

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	sdk "github.com/IBM-Cloud/ibm-cloud-cli-sdk/plugin"
	"github.com/creack/pty"

	"fn-runtime/test/harness"
)

// TestConventions runs the plug-in as the host does, and checks it against the guide of the IBM Cloud CLI. Each subtest
// checks one of the 15 points of the checklist in the guide.
func TestConventions(t *testing.T) {
	c := install(t, map[string]any{"Locale": "en_US", "ColorEnabled": "true"})
	c.env = []string{"VIRTUAL_ENV=" + harness.Venv(t, "3.11", "lithops", "boto3"), "IBMCLOUD_COLOR=false"}
	t.Cleanup(func() { c.run("fn-runtime local", "stop", "-q") })
	m := c.metadata()

	t.Run("01 wording", func(t *testing.T) {
		please, plugin := regexp.MustCompile(`(?i)\bplease\b`), regexp.MustCompile(`\b[Pp]lugins?\b`)
		for _, cmd := range m.Commands {
			text := c.run(cmd.Namespace, cmd.Name, "--help").out
			if s := please.FindString(text) + plugin.FindString(strings.ReplaceAll(text, "ibmcloud plugin", "")); s != "" {
				t.Errorf("%s: %q in its help", cmd.Name, s)
			}
		}
	})
	t.Run("02 progress and result", func(t *testing.T) {
		a := c.run("fn-runtime", "deploy", "default", "-b", "local")
		first, _, _ := strings.Cut(a.err, "\n")
		if a.status != 0 || !regexp.MustCompile(`^Deploying runtime \S+ in namespace \S+( as \S+)?\.\.\.$`).MatchString(first) || !strings.HasPrefix(a.out, "OK\n") {
			t.Errorf("got %+v, want what is being done in the first line, and OK", a)
		}
		a = c.run("fn-runtime", "delete", "nobody/knows:this", "-b", "local", "-f")
		if a.status != 1 || a.out != "" || !strings.Contains(a.err, "...\nFAILED\n") || !strings.Contains(a.err, "'ibmcloud fn-runtime list -b local'") {
			t.Errorf("a failure names no remedy: %+v", a)
		}
	})
	t.Run("03 colors", func(t *testing.T) { colors(t, c) })
	t.Run("04 descriptions", func(t *testing.T) {
		for _, cmd := range m.Commands {
			if words := strings.Fields(cmd.Description); len(words) == 0 || len(words) >= 10 || !regexp.MustCompile(`^[A-Z][a-z]+ .*\.$`).MatchString(cmd.Description) {
				t.Errorf("%s: %q", cmd.Name, cmd.Description)
			}
		}
	})
	t.Run("05 usage", func(t *testing.T) {
		for _, cmd := range m.Commands {
			if cmd.Hidden {
				continue
			}
			rest := strings.TrimPrefix(cmd.Usage, "ibmcloud "+cmd.Namespace+" "+cmd.Name)
			if rest == cmd.Usage || !usage.MatchString(rest) {
				t.Errorf("%s: %q", cmd.Name, cmd.Usage)
			}
			for _, f := range cmd.Flags {
				if short, long, both := strings.Cut(f.Name, ","); both && (len(short) != 1 || len(long) < 2) {
					t.Errorf("%s: the flag %q", cmd.Name, f.Name)
				}
			}
		}
	})
	t.Run("06 wrong usage", func(t *testing.T) {
		for _, args := range [][]string{{"deploy"}, {"list", "--nonsense"}, {"list", "-b", "moon"}, {"delete", "a", "b"}, {"deploy", "UPPER"}} {
			a := c.run("fn-runtime", args...)
			if a.status != 2 || a.out != "" || !regexp.MustCompile(`^FAILED\nIncorrect Usage\. \S.*\n`).MatchString(a.err) || !strings.Contains(a.err, "\nUSAGE: ibmcloud fn-runtime ") {
				t.Errorf("%q: %+v", args, a)
			}
		}
	})
	t.Run("07 lists", func(t *testing.T) {
		if a := c.run("fn-runtime", "list", "-b", "local"); !strings.HasPrefix(a.out, "Name ") || strings.Count(a.out, "\n") < 2 {
			t.Errorf("got %+v, want a table with a head", a)
		}
		if a := c.run("fn-runtime", "list", "nobody/knows:this", "-b", "local"); a.status != 0 || a.out != "No runtime name contains 'nobody/knows:this' (total runtimes: 1).\n" {
			t.Errorf("a list without what was asked for: %+v", a)
		}
		if a := c.run("fn-runtime", "list", "nobody/knows:this", "-b", "local", "--output", "json"); a.out != "[]\n" {
			t.Errorf("an empty list in JSON: %+v", a)
		}
	})
	t.Run("08 JSON and quiet", func(t *testing.T) { quiet(t, c) })
	t.Run("09 prompts", func(t *testing.T) {
		if a := c.run("fn-runtime", "delete", "default", "-b", "local"); a.status != 2 || !strings.Contains(a.err, "-f") {
			t.Errorf("without a terminal: %+v", a)
		}
		screen, status := c.terminal(t, "n\r", "delete", "default", "-b", "local")
		if status != 0 || !strings.Contains(screen, " [y/N]> ") {
			t.Errorf("status %d\n%s", status, screen)
		}
		if a := c.run("fn-runtime", "list", "-b", "local", "--output", "json"); !strings.Contains(a.out, "openwhisk-python") {
			t.Errorf("deleted in spite of n: %+v", a)
		}
		if a := c.run("fn-runtime", "delete", "default", "-b", "local", "-f"); a.status != 0 || strings.Contains(a.err, "[y/N]") {
			t.Errorf("with -f: %+v", a)
		}
	})
	t.Run("10 common names", func(t *testing.T) {
		shorts := map[string]string{"force": "f", "quiet": "q", "region": "r", "resource-group": "g", "output": ""}
		for _, cmd := range m.Commands {
			for _, f := range cmd.Flags {
				long := f.Name[strings.LastIndex(f.Name, ",")+1:]
				if want, ok := shorts[long]; ok && f.Name != strings.TrimPrefix(want+","+long, ",") {
					t.Errorf("%s: %q, want -%s", cmd.Name, f.Name, want)
				}
			}
			if !cmd.Hidden && !slices.Contains([]string{"help", "completion", "run", "dashboard"}, cmd.Name) && !slices.ContainsFunc(cmd.Flags, func(f sdk.Flag) bool { return f.Name == "output" }) {
				t.Errorf("%s has no --output", cmd.Name)
			}
		}
	})
	t.Run("11 secrets", func(t *testing.T) {
		for _, cmd := range m.Commands {
			for _, f := range cmd.Flags {
				if cmd.Name == "build" && f.Name == "secret" {
					continue // it names the file or variable that contains the secret
				}
				if f.HasValue && regexp.MustCompile(`(?i)password|secret|token|api-?key`).MatchString(f.Name) {
					t.Errorf("%s takes a secret on the command line: %s", cmd.Name, f.Name)
				}
			}
		}
		key := regexp.MustCompile(`api_key: '?([^'\n]+)`).FindStringSubmatch(c.run("fn-runtime", "lithops-config", "-b", "local", "--show-secrets").out)
		if key == nil || !strings.Contains(key[1], ":") {
			t.Fatalf("no key to look for: %v", key)
		}
		traced := *c
		traced.env = append(slices.Clone(c.env), "IBMCLOUD_TRACE=true")
		a := traced.run("fn-runtime", "list", "-b", "local")
		if !strings.Contains(a.out+a.err, "REQUEST:") || strings.Contains(a.out+a.err, strings.SplitN(key[1], ":", 2)[1]) {
			t.Errorf("the trace: %+v", a)
		}
	})
	t.Run("12 languages", func(t *testing.T) { languages(t) })
	t.Run("13 metadata", func(t *testing.T) {
		if m.Name != "fn-runtime" || len(m.Aliases) == 0 || m.Version.String() == "0.0.0" || m.MinCliVersion.String() == "0.0.0" || !m.PrivateEndpointSupported {
			t.Errorf("got %+v, want name, aliases, versions and private endpoints", m)
		}
		for _, cmd := range m.Commands {
			if cmd.Description == "" || cmd.Usage == "" || cmd.Namespace == "" {
				t.Errorf("got %+v, want description, usage and namespace", cmd)
			}
		}
	})
	t.Run("14 platforms", func(t *testing.T) { // test/release builds them and checks the checksums
		data, err := os.ReadFile(filepath.Join(harness.Root(t), "bin", "release"))
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"linux/amd64 linux/arm64 linux/ppc64le linux/s390x darwin/amd64 darwin/arm64 windows/amd64", "SHA256SUMS"} {
			if !strings.Contains(string(data), want) {
				t.Errorf("bin/release lacks %s", want)
			}
		}
	})
	t.Run("15 nothing breaks", func(t *testing.T) { surface(t, m) })
}

// usage matches the arguments after the name of a command: values in capitals, [optional ones], (exclusive | ones).
var usage = regexp.MustCompile(`^( (--|\[?[A-Z]+(\[:TAG\])?\]?(\.\.\.)?|\((\S+ \| )+\S+\)|\[(\S+ \| )+\S+\]|\[(-[a-zA-Z], )?--[a-z0-9-]{2,}( [A-Z][A-Z0-9=:.]*(,?\.\.\.)?)?\]))*$`)

// terminal runs a command in a pseudo-terminal of 80 columns, sends input when the command asks for it, and returns the
// screen.
func (c *cli) terminal(t *testing.T, input string, args ...string) (string, int) {
	t.Helper()
	cmd := exec.Command(filepath.Join(c.conf, "plugins", "fn-runtime", "fn-runtime"), args...)
	cmd.Dir = c.home
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + c.home, "LC_ALL=C", "TERM=xterm", "IBMCLOUD_CONFIG_HOME=" + c.conf, "IBMCLOUD_PLUGIN_NAMESPACE=fn-runtime"}, c.env...)
	file, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 40, Cols: 80})
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	timer := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	if input != "" {
		_, _ = io.WriteString(file, input)
	}
	data, _ := io.ReadAll(file) // returns EIO when the process has ended
	_ = cmd.Wait()
	return strings.ReplaceAll(string(data), "\r\n", "\n"), cmd.ProcessState.ExitCode()
}
