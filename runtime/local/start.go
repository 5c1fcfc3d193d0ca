package local

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
)

// startTimeout is how long a start may take; an endpoint that starts takes well under a second.
const startTimeout = 30 * time.Second

// Start returns the endpoint of o.Dir, started in the background when it does not run. Of two starts at once one starts
// it and both get it. The options only matter to an endpoint that has to be started.
func Start(ctx context.Context, o Options) (Info, error) {
	i, err := start(ctx, o)
	return i, fault.During(i18n.M("Starting the local endpoint"), err)
}

func start(ctx context.Context, o Options) (Info, error) {
	if i, err := status(ctx, o.Dir); err == nil && (i.Running || i.Hangs) {
		return i, Hanging(i)
	}
	if err := makeDir(o.Dir); err != nil {
		return Info{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	lock := flock.New(filepath.Join(o.Dir, startLock), flock.SetPermissions(0o600))
	if ok, err := lock.TryLockContext(ctx, 20*time.Millisecond); err != nil || !ok {
		return Info{}, errors.Join(errors.New("another start has not finished"), err)
	}
	defer lock.Unlock() // closing the file releases it
	i, err := status(ctx, o.Dir)
	if err == nil && i.Running {
		return i, nil
	}
	if err := o.portsFree(i.Port); err != nil { // said here, and not by a process that ends
		return Info{}, err
	}
	return launch(ctx, o)
}

// Hanging returns the fault of an endpoint that runs and does not answer, nil for any other.
func Hanging(i Info) error {
	if !i.Hangs {
		return nil
	}
	return fault.New(fault.Unavailable,
		i18n.M("The local endpoint (process {{.PID}}) does not respond.", "PID", i.PID),
		i18n.M("Stop it with 'ibmcloud fn-runtime local stop', then rerun the command."))
}

// launch starts this program as the endpoint and waits until it answers.
func launch(ctx context.Context, o Options) (Info, error) {
	errPath := filepath.Join(o.Dir, stderrFile)
	out, err := openStderr(errPath)
	if err != nil {
		return Info{}, fault.New(fault.Failed, i18n.M("{{.Error}}", "Error", err.Error()),
			i18n.M("Check that you own the directory and that the disk is not full.")).Because(err)
	}
	defer out.Close()
	cmd := exec.Command(o.Executable, o.arguments()...)
	cmd.Stdout, cmd.Stderr, cmd.Dir, cmd.Env = out, out, o.Dir, endpointEnvironment(os.Environ())
	detach(cmd)
	keepDescriptors()
	if err := cmd.Start(); err != nil {
		return Info{}, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	tick := time.NewTicker(15 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case err := <-ended:
			return Info{}, notStarted(errPath, err)
		case <-ctx.Done():
			_ = cmd.Process.Kill()
			return Info{}, errors.Join(notStarted(errPath, nil), ctx.Err())
		case <-tick.C:
		}
		if i, err := readInfo(o.Dir); err == nil && i.PID == cmd.Process.Pid {
			if i.Running, _ = alive(ctx, i); i.Running {
				return i, nil
			}
		}
	}
}

// openStderr opens the file of the endpoint's last words, and fails where there is no room for any: an endpoint that
// ends because the disk is full could not say so.
func openStderr(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	if _, err = f.Write(make([]byte, 4096)); err == nil {
		err = f.Truncate(0)
	}
	if err != nil {
		return nil, errors.Join(err, f.Truncate(0), f.Close())
	}
	return f, nil
}

// arguments are those of the hidden command that calls Serve.
func (o Options) arguments() []string {
	args := []string{"local", "run", "--dir", o.Dir}
	for _, flag := range []struct{ name, value string }{{"--python", o.Python}, {"--invoker", o.Invoker}} {
		if flag.value != "" {
			args = append(args, flag.name, flag.value)
		}
	}
	for _, flag := range []struct {
		name  string
		value int
	}{{"--port", o.Port}, {"--s3-port", o.S3Port}, {"--max-storage", o.MaxStorageMB}, {"--memory", o.MemoryMB}} {
		if flag.value != 0 {
			args = append(args, flag.name, strconv.Itoa(flag.value))
		}
	}
	if o.IdleTimeout > 0 {
		args = append(args, "--idle-timeout", o.IdleTimeout.String())
	}
	return args
}

// lastWords is how many lines of the endpoint's own output a failed start shows.
const lastWords = 10

func notStarted(errPath string, cause error) error {
	lines := []string{}
	if f, err := os.Open(errPath); err == nil {
		data, _ := io.ReadAll(io.LimitReader(f, 64<<10))
		_ = f.Close()
		for line := range strings.Lines(string(data)) {
			if line = strings.TrimSpace(line); line != "" {
				lines = append(lines, line)
			}
		}
	}
	if len(lines) > lastWords {
		lines = lines[len(lines)-lastWords:]
	}
	return fault.New(fault.Unavailable,
		i18n.M("The local endpoint did not start."),
		i18n.M("Read its output with 'ibmcloud fn-runtime local logs'.")).Because(cause).With(lines...)
}
