package source

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"fn-runtime/test/harness"
)

// TestExerciseOfContributing follows the exercise of CONTRIBUTING.md in a copy of the tree: its two files and one word
// in the list of commands add a command that deploys, hides and restores a runtime of the local endpoint.
func TestExerciseOfContributing(t *testing.T) {
	root := harness.Root(t)
	tree := t.TempDir()
	run := func(dir, name string, args ...string) string {
		t.Helper()
		cmd := exec.Command(name, args...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "CGO_ENABLED=0", "NO_COLOR=1")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	for _, part := range []string{"main.go", "go.mod", "go.sum", "plugin", "commands", "runtime", "i18n", "docs"} {
		run(root, "cp", "-R", part, tree)
	}
	page, err := os.ReadFile(filepath.Join(root, "CONTRIBUTING.md"))
	if err != nil {
		t.Fatal(err)
	}
	steps := regexp.MustCompile("(?s)<!-- exercise: (\\S+) -->\n```go\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	if len(steps) != 2 {
		t.Fatalf("CONTRIBUTING.md has %d files for the exercise", len(steps))
	}
	for _, step := range steps {
		write(t, filepath.Join(tree, step[1]), step[2])
	}
	list := filepath.Join(tree, "commands", "root.go")
	text, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}
	write(t, list, strings.Replace(string(text), "newInvoke(f),", "newInvoke(f), newPause(f),", 1))
	if out := run(tree, "gofmt", "-l", steps[0][1], steps[1][1]); out != "" {
		t.Errorf("gofmt would change %s", out)
	}
	run(tree, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", "fn-runtime", ".")
	if out := run(tree, "./fn-runtime", "pause", "--help"); !strings.Contains(out, "Hide a runtime from the client.") || !strings.Contains(out, "--regions") {
		t.Errorf("the help says:\n%s", out)
	}
	if out := run(tree, "./fn-runtime", "SendMetadata"); !strings.Contains(out, `"pause"`) {
		t.Error("the host would not know the command")
	}

	stage := harness.NewStage(t)
	stage.Bin = filepath.Join(tree, "fn-runtime")
	stage.Env = []string{"VIRTUAL_ENV=" + harness.Venv(t, "3.11", "lithops", "boto3")}
	for _, step := range []struct{ line, want string }{
		{"deploy default -b local", "Done"},
		{"pause default -b local", "Metadata"},
		{"list -b local", "No metadata"},
		{"deploy default -b local", "Metadata"},
		{"list -b local", "Ready"},
	} {
		if out := stage.FnRuntime(strings.Fields(step.line)...).Stdout; !strings.Contains(out, step.want) {
			t.Errorf("%s does not say %q:\n%s", step.line, step.want, out)
		}
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
