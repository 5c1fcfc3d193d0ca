package view

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
)

// Confirm asks a yes/no question. The default is no. Without a terminal, and with JSON, it returns a usage error
// instead of waiting indefinitely.
func (v *View) Confirm(ctx context.Context, question i18n.Message) (bool, error) {
	if v.JSON || !v.InTTY {
		return false, fault.New(fault.Usage,
			i18n.M("Cannot ask for confirmation without a terminal."),
			i18n.M("Pass '-f' to skip the confirmation, or '--dry-run' to show the planned changes."))
	}
	defer v.pause()()
	fmt.Fprintf(v.Err, "%s [y/N]%s ", v.errText(question), paint(v.ErrColor, entityName, ">"))
	answer := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(io.LimitReader(v.In, 1<<10)).ReadString('\n')
		answer <- strings.ToLower(strings.TrimSpace(line))
	}()
	select {
	case <-ctx.Done():
		fmt.Fprintln(v.Err)
		return false, ctx.Err()
	case a := <-answer:
		return a == "y" || a == "yes", nil
	}
}
