package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"fn-runtime/test/harness"
)

func groups() []group {
	return []group{
		{"startup", startup},
		{"runtimes", runtimes},
		{"jobs", jobs},
		{"clean", clean},
		{"local", measureLocal},
		{"sizes", sizes},
		{"images", measureImages},
		{"growth", growth},
	}
}

func newBench(runs int) (*bench, error) {
	root, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	b := &bench{root: root, bin: filepath.Join(root, "bin", "fn-runtime"), cache: os.Getenv("FN_RUNTIME_TEST_CACHE"), runs: runs}
	if b.cache == "" {
		b.cache = filepath.Join(root, ".cache")
	}
	if _, err := os.Stat(b.bin); err != nil {
		return nil, errors.New("bin/fn-runtime is not built; run 'make bench' in the project's root directory")
	}
	return b, os.MkdirAll(b.cache, 0o755)
}

// venv returns the directory of a virtual environment with the newest Lithops. It creates a missing environment from
// PyPI.
func (b *bench) venv(ctx context.Context) (string, error) {
	return b.environment(ctx, "venv-bench", "lithops", "boto3")
}

// environment returns the directory of a virtual environment with packages from PyPI.
func (b *bench) environment(ctx context.Context, name string, packages ...string) (string, error) {
	dir := filepath.Join(b.cache, name)
	if _, err := os.Stat(filepath.Join(dir, ".ready")); err == nil {
		return dir, nil
	}
	python, err := b.python()
	if err != nil {
		return "", err
	}
	for _, args := range [][]string{
		{python, "-m", "venv", "--clear", dir},
		append([]string{filepath.Join(dir, "bin", "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check"}, packages...),
	} {
		if out, err := exec.CommandContext(ctx, args[0], args[1:]...).CombinedOutput(); err != nil {
			return "", fmt.Errorf("%s: %w\n%s", strings.Join(args, " "), err, out)
		}
	}
	return dir, os.WriteFile(filepath.Join(dir, ".ready"), nil, 0o644)
}

// python returns an interpreter for which Lithops has a default runtime.
func (b *bench) python() (string, error) {
	for _, version := range []string{"3.12", "3.11", "3.10"} {
		if path, ok := harness.FindPython(version); ok {
			return path, nil
		}
	}
	return "", errors.New("no Python 3.10, 3.11 or 3.12 is installed")
}

// median calls work n times and returns the median duration. It stops at the first error.
func median(ctx context.Context, n int, work func(context.Context) error) (time.Duration, error) {
	took := make([]time.Duration, 0, n)
	for range n {
		start := time.Now()
		if err := work(ctx); err != nil {
			return 0, err
		}
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	return took[len(took)/2], nil
}

// command returns a function that runs a program, which must exit with status 0.
func command(env []string, name string, args ...string) func(context.Context) error {
	return func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
		defer cancel()
		cmd := exec.CommandContext(ctx, name, args...)
		cmd.Env = append(os.Environ(), env...)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, out)
		}
		return nil
	}
}
