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

// startTimeout is the time limit for a start. A start normally takes much less than a second.
const startTimeout = 30 * time.Second

// Start starts the endpoint in o.Dir in the background if it does not run, and returns its Info. If Start is called
// twice at the same time, only one call starts the endpoint and both return it. The other options are ignored if the
// endpoint already runs.
func Start(ctx context.Context, o Options) (Info, error) {
	i, err := start(ctx, o)
	return i, fault.During(i18n.M("Starting the local endpoint"), err)
}

func start(ctx context.Context, o Options) (Info, error) {
	if i, err := status(ctx, o.Dir); err == nil && (i.Running || i.Hangs) {
		return i, CheckResponsive(i)
	}
	if err := ensureDir(o.Dir); err != nil {
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
	if err := o.checkPorts(i.Port); err != nil { // reported here, because the error of the background process is less readable
		return Info{}, err
	}
	return launch(ctx, o)
}

// CheckResponsive returns a fault.Unavailable error if the endpoint hangs, and nil otherwise.
func CheckResponsive(i Info) error {
	if !i.Hangs {
		return nil
	}
	return fault.New(fault.Unavailable,
		i18n.M("The local endpoint (process {{.PID}}) does not respond.", "PID", i.PID),
		i18n.M("Stop it with 'ibmcloud fn-runtime local stop', then rerun the command."))
}

// launch starts this program as the endpoint process and waits until it responds.
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
	closeInherited()
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
			return Info{}, startError(errPath, err)
		case <-ctx.Done():
			_ = cmd.Process.Kill()
			return Info{}, errors.Join(startError(errPath, nil), ctx.Err())
		case <-tick.C:
		}
		if i, err := readInfo(o.Dir); err == nil && i.PID == cmd.Process.Pid {
			if i.Running, _ = probe(ctx, i); i.Running {
				return i, nil
			}
		}
	}
}

// openStderr opens the file for the endpoint's stderr. It returns an error if the disk is full, because the endpoint
// could not report that error itself.
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

// arguments returns the command-line arguments of the hidden command that calls Serve.
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

// maxStderrLines is how many lines of the endpoint's output the error of a failed start contains.
const maxStderrLines = 10

// startError returns the error of a failed start, with the last lines of the endpoint's output.
func startError(errPath string, cause error) error {
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
	if len(lines) > maxStderrLines {
		lines = lines[len(lines)-maxStderrLines:]
	}
	return fault.New(fault.Unavailable,
		i18n.M("The local endpoint did not start."),
		i18n.M("Read its output with 'ibmcloud fn-runtime local logs'.")).Because(cause).With(lines...)
}
