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

// How old something of a run for metadata must be before it is taken for left behind by a command on another machine: where
// it does not run, because it begins a moment later and is looked at a moment after its end; and where it runs.
const (
	youngMap   = 2 * time.Minute
	oldestCall = time.Hour
)

// callName makes the name of a run for metadata. It tells later commands on this machine which process it belongs to.
func callName() string {
	return metaPrefix + machine() + "-" + strconv.FormatInt(int64(os.Getpid()), 36) + "-" + strings.ToLower(rand.Text()[:12])
}

// machine stands for this machine in names, or for what has process ids of its own on it, such as a container.
var machine = sync.OnceValue(func() string {
	host, _ := os.Hostname()
	space, _ := os.Readlink("/proc/self/ns/pid") // Linux alone has these
	sum := sha256.Sum256([]byte(host + "\n" + space))
	return hex.EncodeToString(sum[:4])
})

// orphaned reports whether a run for metadata is of a command on this machine that does not run any more.
func orphaned(name string) bool {
	parts := strings.Split(strings.TrimPrefix(name, metaPrefix), "-")
	if len(parts) != 3 || parts[0] != machine() || runtime.GOOS == "windows" {
		return false
	}
	pid, err := strconv.ParseInt(parts[1], 36, 32)
	if err != nil || pid < 1 {
		return false
	}
	process, err := os.FindProcess(int(pid))
	return err == nil && errors.Is(process.Signal(syscall.Signal(0)), os.ErrProcessDone)
}

// sweep removes, once and beside the first call, what runs for metadata have left that were killed: their config maps hold
// keys. The function returned waits for it.
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
		if err := c.sweepCall(ctx, m.Name, func() (bool, error) { return c.left(ctx, m) }); err != nil {
			return err
		}
	}
	runs, err := c.client.runs(ctx, "") // those that have lost their config map
	if err != nil {
		return err
	}
	for _, r := range runs {
		done, _ := r.ended()
		if err := c.sweepCall(ctx, r.Name, func() (bool, error) { return orphaned(r.Name) || done && time.Since(r.CreatedAt) > youngMap, nil }); err != nil {
			return err
		}
	}
	return nil
}

// sweepCall removes what is left of a run for metadata; nothing where a name is not of one, or of one of this command's.
func (c *Compute) sweepCall(ctx context.Context, name string, left func() (bool, error)) error {
	c.mu.Lock()
	own := c.own[name]
	c.mu.Unlock()
	if own || !strings.HasPrefix(name, metaPrefix) {
		return nil
	}
	is, err := left()
	if err == nil && is {
		err = c.clear(ctx, name)
	}
	return err
}

// left reports whether a config map for metadata has been left behind.
func (c *Compute) left(ctx context.Context, m configMapDoc) (bool, error) {
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
	return age > oldestCall || age > youngMap && !running, nil
}
