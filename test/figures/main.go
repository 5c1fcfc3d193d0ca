// Command figures writes rows of the table in docs/reliability.md: go run ./test/figures NAME VALUE [NAME VALUE]...
package main

import (
	"fmt"
	"os"

	"fn-runtime/test/harness"
)

func main() {
	args := os.Args[1:]
	if len(args) == 0 || len(args)%2 != 0 {
		fmt.Fprintln(os.Stderr, "usage: figures NAME VALUE [NAME VALUE]...")
		os.Exit(2)
	}
	root, err := os.Getwd()
	for i := 0; i < len(args) && err == nil; i += 2 {
		err = harness.WriteFigure(root, args[i], args[i+1])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
