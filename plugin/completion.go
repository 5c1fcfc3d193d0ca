package plugin

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"
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
	var list []string
	last := args[len(args)-1]
	if strings.HasPrefix(last, "--") {
		if _, value, ok := strings.Cut(last, "="); ok { // --backend=lo
			last = value
		}
	}
	for _, line := range strings.Split(out.String(), "\n") {
		if line != "" && !strings.HasPrefix(line, ":") && strings.HasPrefix(line, last) {
			list = append(list, line)
		}
	}
	return list
}
