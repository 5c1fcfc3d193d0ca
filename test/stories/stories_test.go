// Package stories runs the built binary as users and scripts do. Each testdata/*.txtar is one story. UPDATE=1 rewrites
// the expected outputs.
package stories

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"fn-runtime/test/harness"
)

func TestStories(t *testing.T) {
	bin := t.TempDir()
	build := exec.Command("go", "build", "-o", filepath.Join(bin, "fn-runtime"), "fn-runtime")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	venv := harness.Venv(t, "3.11", "lithops", "boto3")
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		UpdateScripts:       os.Getenv("UPDATE") == "1",
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", bin+string(os.PathListSeparator)+env.Getenv("PATH"))
			env.Setenv("HOME", env.WorkDir+"/home")
			env.Setenv("IBMCLOUD_CONFIG_HOME", env.WorkDir+"/home/.bluemix")
			env.Setenv("VIRTUAL_ENV", venv)
			env.Setenv("LC_ALL", "C")
			env.Defer(func() { // an endpoint that a story has started, or that a failed story has not stopped
				stop := exec.Command(filepath.Join(bin, "fn-runtime"), "local", "stop")
				stop.Env = env.Vars
				if out, err := stop.CombinedOutput(); err != nil {
					t.Errorf("local stop: %v\n%s", err, out)
				}
			})
			env.Setenv("EVIL", "\x1b]0;title\x07")
			return os.MkdirAll(env.WorkDir+"/home", 0o700)
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){"status": status},
	})
}

// status N COMMAND...: the command must exit with status N. Its output is available as after exec.
func status(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N COMMAND...")
	}
	got := "0"
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		got = "no exit status: " + err.Error()
		if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
			got = strconv.Itoa(exit.ExitCode())
		}
	}
	if got != args[0] {
		ts.Fatalf("exit status %s, want %s", got, args[0])
	}
}
