//go:build unix

package host

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"
)

// The first Ctrl-C stops the running calls, the exit status is 130, and the command reports what was interrupted.
func TestInterrupt(t *testing.T) {
	cl := newCloud(t)
	cl.hang = make(chan struct{}, 1)
	c := install(t, session(jwt(time.Now().Add(time.Hour))))
	args := onCloud(t, c, cl)
	cmd := c.command("fn-runtime", args[:len(args)-2]...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	killed := time.AfterFunc(30*time.Second, func() { _ = cmd.Process.Kill() })
	defer killed.Stop()
	select {
	case <-cl.hang:
	case <-time.After(30 * time.Second):
		t.Error("no request came")
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Error(err)
	}
	_ = cmd.Wait()
	if status := cmd.ProcessState.ExitCode(); status != 130 || !strings.Contains(stderr.String(), "FAILED\nInterrupted.") && !strings.Contains(stderr.String(), "nterrupted") {
		t.Errorf("status %d: %s", status, stderr.String())
	}
}
