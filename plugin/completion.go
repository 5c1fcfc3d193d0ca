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
	for _, line := range candidates(args) {
		fmt.Fprintln(os.Stdout, line)
	}
	return 0
}

// candidates asks cobra, whose answer ends in a line ":DIRECTIVE".
func candidates(args []string) []string {
	var out bytes.Buffer
	f, done, _ := newFactory(true) // without its session there is still something to complete
	defer done()
	f.View = &view.View{Streams: view.Streams{Out: &out, Err: &bytes.Buffer{}}}
	if commands.Run(context.Background(), f, append([]string{cobra.ShellCompNoDescRequestCmd}, args...)) != 0 {
		return nil
	}
	var list []string
	for _, line := range strings.Split(out.String(), "\n") {
		if line != "" && !strings.HasPrefix(line, ":") {
			list = append(list, line)
		}
	}
	return list
}
