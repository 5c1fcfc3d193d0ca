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

// complete answers the host's SendCompletion: one candidate a line for the last of the words.
func complete(args []string) int {
	if len(args) > 0 && (args[0] == commands.Name || slices.Contains([]string{"fnr"}, args[0])) {
		args = args[1:]
	}
	if len(args) == 0 {
		args = []string{""}
	}
	if null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0); err == nil {
		os.Stderr = null // cobra reports what it cannot parse there, in the middle of the line that is being typed
	}
	for _, line := range candidates(args) {
		fmt.Fprintln(os.Stdout, line)
	}
	return 0
}

// candidates asks cobra, whose answer ends in a line ":DIRECTIVE".
func candidates(args []string) []string {
	var out bytes.Buffer
	f, done, _ := newFactory(true, true) // without its session there is still something to complete
	defer done()
	f.View = &view.View{Streams: view.Streams{Out: &out, Err: &bytes.Buffer{}}}
	if commands.Run(context.Background(), f, append([]string{cobra.ShellCompNoDescRequestCmd}, args...)) != 0 {
		return nil
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	directive, err := strconv.Atoi(strings.TrimPrefix(lines[len(lines)-1], ":"))
	if err != nil || cobra.ShellCompDirective(directive)&(cobra.ShellCompDirectiveFilterFileExt|cobra.ShellCompDirectiveFilterDirs) != 0 {
		return nil // these lines are kinds of files, which the host's shell knows itself
	}
	last := args[len(args)-1]
	if strings.HasPrefix(last, "--") {
		if _, value, ok := strings.Cut(last, "="); ok { // --backend=lo
			last = value
		}
	}
	return slices.DeleteFunc(lines[:len(lines)-1], func(line string) bool { return line == "" || !strings.HasPrefix(line, last) })
}
