package codeengine

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"fn-runtime/runtime/fault"
)

// Minimum ages of the resources of a metadata run before they are considered abandoned by a command on another
// machine. idleAge applies if the run is not in progress: it may start soon or may have just ended. maxRunAge applies
// if the run is in progress.
const (
	idleAge   = 2 * time.Minute
	maxRunAge = time.Hour
)

// newRunName returns a name for a metadata run. The name contains the process ID, so that later commands on this
// machine can determine whether the process still exists.
func newRunName() string {
	return metadataPrefix + machineID() + "-" + strconv.FormatInt(int64(os.Getpid()), 36) + "-" + strings.ToLower(rand.Text()[:12])
}

// machineID identifies this machine in names. An environment with separate process IDs, such as a container, has its
// own ID.
var machineID = sync.OnceValue(func() string {
	host, _ := os.Hostname()
	space, _ := os.Readlink("/proc/self/ns/pid") // exists on Linux only
	sum := sha256.Sum256([]byte(host + "\n" + space))
	return hex.EncodeToString(sum[:4])
})

// orphaned reports whether a metadata run belongs to a command on this machine that is no longer running.
func orphaned(name string) bool {
	parts := strings.Split(strings.TrimPrefix(name, metadataPrefix), "-")
	if len(parts) != 3 || parts[0] != machineID() || runtime.GOOS == "windows" {
		return false
	}
	pid, err := strconv.ParseInt(parts[1], 36, 32)
	if err != nil || pid < 1 {
		return false
	}
	process, err := os.FindProcess(int(pid))
	return err == nil && errors.Is(process.Signal(syscall.Signal(0)), os.ErrProcessDone)
}

// sweep starts to delete the resources of metadata runs whose command was killed, because their config maps contain
// keys. The deletion runs once, in parallel with the first call. The returned function waits until it has ended.
func (c *Compute) sweep(ctx context.Context) (wait func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = fault.Try(func() error { return c.swept.do(func() error { return c.sweepOnce(ctx) }) })
	}()
	return func() { <-done }
}

func (c *Compute) sweepOnce(ctx context.Context) error {
	maps, err := c.client.configMaps(ctx)
	if err != nil {
		return err
	}
	for _, m := range maps {
		if err := c.sweepRun(ctx, m.Name, func() (bool, error) { return c.abandoned(ctx, m) }); err != nil {
			return err
		}
	}
	runs, err := c.client.runs(ctx, "") // includes runs whose config map no longer exists
	if err != nil {
		return err
	}
	for _, r := range runs {
		done, _ := r.ended()
		if err := c.sweepRun(ctx, r.Name, func() (bool, error) { return orphaned(r.Name) || done && time.Since(r.CreatedAt) > idleAge, nil }); err != nil {
			return err
		}
	}
	return nil
}

// sweepRun deletes the resources of a metadata run if abandoned returns true. It does nothing for other names and for
// the runs of this command.
func (c *Compute) sweepRun(ctx context.Context, name string, abandoned func() (bool, error)) error {
	c.mu.Lock()
	own := c.ownRuns[name]
	c.mu.Unlock()
	if own || !strings.HasPrefix(name, metadataPrefix) {
		return nil
	}
	yes, err := abandoned()
	if err == nil && yes {
		err = c.cleanUp(ctx, name)
	}
	return err
}

// abandoned reports whether a config map belongs to a metadata run whose command no longer runs or, on another machine,
// has probably ended.
func (c *Compute) abandoned(ctx context.Context, m configMapDoc) (bool, error) {
	if orphaned(m.Name) {
		return true, nil
	}
	age, running := time.Since(m.CreatedAt), false
	run, err := c.client.getRun(ctx, m.Name)
	switch {
	case err == nil:
		done, _ := run.ended()
		running = !done
	case !fault.Is(err, fault.NotFound):
		return false, err
	}
	return age > maxRunAge || age > idleAge && !running, nil
}
