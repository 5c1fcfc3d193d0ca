package completion

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fn-runtime/test/harness"
)

// parse prints the syntax errors that PowerShell's grammar finds in a script, and the script's commands and parameters.
const parse = `
import sys
import tree_sitter, tree_sitter_powershell
script = open(sys.argv[1], 'rb').read()
tree = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language())).parse(script)
todo = [tree.root_node]
while todo:
    node = todo.pop()
    if node.is_error or node.is_missing:
        print('wrong', node.start_point[0] + 1, script[node.start_byte:node.end_byte][:80])
    if node.type == 'command':
        print('command', script[node.start_byte:node.end_byte].split()[0].decode())
    if node.type == 'command_parameter':
        print('parameter', script[node.start_byte:node.end_byte].decode())
    todo.extend(node.children)
`

// The test does not run PowerShell, because no registry that the tests can reach provides it. It checks that the script
// has valid syntax, that it registers a completer for our command, and that the program prints completions in the
// format that the script parses.
func TestPowerShellScript(t *testing.T) {
	venv := harness.Venv(t, "3.11", "tree-sitter==0.26.0", "tree-sitter-powershell==0.26.4")
	s := stage(t, "/nonexistent")
	script := s.FnRuntime("completion", "powershell").Stdout
	file := filepath.Join(s.Home, "fn-runtime.ps1")
	check := func(text string) string {
		t.Helper()
		for path, content := range map[string]string{file: text, filepath.Join(s.Home, "parse.py"): parse} {
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return s.Run(time.Minute, filepath.Join(venv, "bin", "python"), filepath.Join(s.Home, "parse.py"), file).Stdout
	}
	found := check(script)
	if strings.Contains(found, "wrong ") {
		t.Errorf("not PowerShell:\n%s", found)
	}
	for _, want := range []string{"command Register-ArgumentCompleter\n", "parameter -CommandName\n", "parameter -ScriptBlock\n", "command Invoke-Expression\n"} {
		if !strings.Contains(found, want) {
			t.Errorf("it has no %s", want)
		}
	}
	if !strings.Contains(check(strings.Replace(script, "}", "", 1)), "wrong ") {
		t.Error("a script with a brace too few counts as PowerShell: the test sees nothing")
	}
	if !strings.Contains(script, "Register-ArgumentCompleter -CommandName 'fn-runtime'") || !strings.Contains(script, " __complete ") {
		t.Error("it completes another command")
	}
	// The last line is the directive after a colon; the others are candidates with a description after a tab.
	r := s.FnRuntime("__complete", "list", "--backend", "")
	lines := strings.Split(strings.TrimSpace(r.Stdout), "\n")
	if len(lines) != 5 || !strings.HasPrefix(lines[0], "ibm_cf") || lines[4] != ":4" {
		t.Errorf("the answer to the script: %q", r.Stdout)
	}
}
