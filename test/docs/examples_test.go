package docs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"fn-runtime/commands"
	"fn-runtime/commands/view"
	"fn-runtime/test/harness"
)

// notRun lists examples that a test machine cannot run, with the reason.
var notRun = map[string]string{
	"build me/runtime:1.0":                                 "pushes to Docker Hub",
	"build me/runtime:1.0 . -f Dockerfile.conda --no-push": "needs a container engine and the network",
	"delete me/runtime:1.0 -m 512":                         "asks a person; run with -f",
	"clean --all":                                          "asks a person, and a namespace of OpenWhisk belongs to its key",
	"local start --invoker docker":                         "needs a container engine",
	"local logs --follow":                                  "does not end",
	"logs --follow":                                        "does not end",
	"logs --job a1b2c3-0-M000 --failed":                    "needs that job",
	"jobs a1b2c3-0-M000 --follow":                          "needs that job",
	"dashboard -b local":                                   "does not end",
	"local reset -f":                                       "takes away what the other examples work on",
	"prune --keep 3.6.0":                                   "asks a person; run with -f",
	"prune --images -b local":                              "asks a person, and needs a container engine",
	"rollback me/runtime:1.0":                              "needs an earlier image in a registry",
	"rollback me/runtime:1.0 --dry-run":                    "needs an earlier image in a registry",
	"list --watch --sort-by updated":                       "does not end",
	"dashboard --save timeline.svg a1b2c3-0-M000":          "needs that job",
}

// Every command has examples, and each of them runs unchanged.
func TestExamplesOfHelp(t *testing.T) {
	venv := harness.Venv(t, "3.11", "lithops", "boto3")
	tree := commands.NewRoot(&commands.Factory{View: &view.View{}})
	var all []string
	var visit func(cmd *cobra.Command)
	visit = func(cmd *cobra.Command) {
		h := commands.HelpOf(cmd)
		if len(h.Examples) == 0 {
			t.Errorf("%s has no example", cmd.CommandPath())
		}
		for _, e := range h.Examples {
			all = append(all, e.Command)
		}
		for _, sub := range cmd.Commands() {
			if sub.IsAvailableCommand() || sub.Name() == "help" {
				visit(sub)
			}
		}
	}
	visit(tree)
	s := newSession(t, venv, true)
	put(t, filepath.Join(s.stage.Dir, "runtimes.yaml"), "runtimes:\n  - image: me/runtime:1.0\n    memory: [256, 512]\n")
	put(t, filepath.Join(s.stage.Dir, "job.py"), "print('done')\n")
	ran := map[string]bool{}
	for _, example := range all {
		if _, ok := notRun[example]; ok {
			ran[example] = true
			continue
		}
		if ran[example] {
			continue
		}
		ran[example] = true
		// Each example finds the resources that it mentions.
		if !strings.HasPrefix(example, "apply") {
			s.stage.FnRuntime("deploy", "me/runtime:1.0", "-m", "256,512", "-b", "local", "-q")
			s.stage.FnRuntime("deploy", "default", "-b", "local", "-q")
		}
		if strings.HasPrefix(example, "init") {
			if err := os.RemoveAll(filepath.Join(s.stage.Dir, "my-runtime")); err != nil {
				t.Fatal(err)
			}
		}
		r := s.stage.Try(2*time.Minute, "bash", "-c", "ibmcloud fn-runtime "+example)
		if r.Code != 0 {
			t.Errorf("%s: exit status %d\n%s%s", example, r.Code, r.Stdout, r.Stderr)
		}
	}
	for example := range notRun {
		if !ran[example] {
			t.Errorf("%q is no example any more", example)
		}
	}
}
