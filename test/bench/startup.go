package main

import (
	"context"
	"os"
	"path/filepath"
)

// startup measures the time that the program needs to start, produce its output and exit.
func startup(ctx context.Context, b *bench) ([]row, error) {
	venv, err := b.venv(ctx)
	if err != nil {
		return nil, err
	}
	home, err := os.MkdirTemp("", "fn-runtime-bench")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(home)
	env := []string{"HOME=" + home, "IBMCLOUD_HOME=" + home}
	lithops := filepath.Join(venv, "bin", "lithops")
	theirs, err := median(ctx, min(b.runs, 10), command(env, lithops, "runtime", "--help"))
	if err != nil {
		return nil, err
	}
	var rows []row
	for _, args := range [][]string{{"SendMetadata"}, {"--help"}, {"deploy", "--help"}} {
		ours, err := median(ctx, b.runs, command(env, b.bin, args...))
		if err != nil {
			return nil, err
		}
		rows = append(rows, row{Work: "start-up: " + args[0], Ours: ours, Theirs: theirs, Who: "lithops runtime --help"})
	}
	return rows, nil
}
