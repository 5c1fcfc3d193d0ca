package plugin

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"fn-runtime/commands"
	"fn-runtime/commands/view"
)

// complete handles the SendCompletion request of the host. It prints one candidate per line for the last argument.
func complete(args []string) int {
	if len(args) > 0 && (args[0] == commands.Name || slices.Contains([]string{"fnr"}, args[0])) {
		args = args[1:]
	}
	if len(args) == 0 {
		args = []string{""}
	}
	if null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0); err == nil {
		os.Stderr = null // cobra would write parse errors into the line that the user is typing
	}
	for _, line := range candidates(args) {
		fmt.Fprintln(os.Stdout, line)
	}
	return 0
}

// candidates returns the completions of cobra. The output of cobra ends with a line ":DIRECTIVE".
func candidates(args []string) []string {
	var out bytes.Buffer
	f, done, _ := newFactory(true, true) // completion also works without a session
	defer done()
	f.View = &view.View{Streams: view.Streams{Out: &out, Err: &bytes.Buffer{}}}
	if commands.Run(context.Background(), f, append([]string{cobra.ShellCompNoDescRequestCmd}, args...)) != 0 {
		return nil
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	directive, err := strconv.Atoi(strings.TrimPrefix(lines[len(lines)-1], ":"))
	if err != nil || cobra.ShellCompDirective(directive)&(cobra.ShellCompDirectiveFilterFileExt|cobra.ShellCompDirectiveFilterDirs) != 0 {
		return nil // the lines are file extensions; the shell of the host completes files itself
	}
	last := args[len(args)-1]
	if strings.HasPrefix(last, "--") {
		if _, value, ok := strings.Cut(last, "="); ok { // such as --backend=lo
			last = value
		}
	}
	return slices.DeleteFunc(lines[:len(lines)-1], func(line string) bool { return line == "" || !strings.HasPrefix(line, last) })
}
