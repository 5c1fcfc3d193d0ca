package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"fn-runtime/test/proxy"
)

// cost holds the time, memory and requests of one run of a program.
type cost struct {
	took     time.Duration
	peak     int64 // maximum memory in bytes
	requests int   // 0 if requests were not counted
	record   []proxy.Request
	out      []byte
}

// measure runs a program that must exit with status 0 within ten minutes. env is its whole environment.
func measure(ctx context.Context, dir string, env []string, name string, args ...string) (cost, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, env, &out, &errs
	cmd.WaitDelay = 5 * time.Second
	start := time.Now()
	err := cmd.Run()
	c := cost{took: time.Since(start), out: out.Bytes(), peak: peak(cmd.ProcessState)}
	if err != nil {
		return c, fmt.Errorf("%s %s: %w\n%s%s", filepath.Base(name), strings.Join(args, " "), err, tail(out.Bytes()), tail(errs.Bytes()))
	}
	return c, nil
}

// tail returns the end of a program's output, which is enough to find an error.
func tail(b []byte) []byte {
	if len(b) > 4000 {
		b = b[len(b)-4000:]
	}
	return b
}
