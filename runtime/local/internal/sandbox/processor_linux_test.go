package sandbox

import (
	"context"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"fn-runtime/runtime/runtimetest"
)

// The CPU demand of a process that computes is high, and that of a process that sleeps is low.
func TestMeterDistinguishesComputingFromWaiting(t *testing.T) {
	for _, c := range []struct {
		script   string
		computes bool
	}{
		{"while :; do :; done & while :; do :; done", true},
		{"sleep 60 & sleep 60", false},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		cmd := exec.CommandContext(ctx, "sh", "-c", c.script)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		pids := func() []int { return append(Descendants(cmd.Process.Pid), cmd.Process.Pid) }
		runtimetest.Eventually(t, "both processes", func() bool { return len(pids()) >= 2 })
		var m Meter
		all := pids()
		begin := time.Now()
		before, known := m.Read(all)
		time.Sleep(300 * time.Millisecond)
		after, _ := m.Read(all)
		share := float64(after-before) / float64(time.Since(begin))
		if !known || (share > 0.5) != c.computes {
			t.Errorf("%s: got known %v and a CPU demand of %.2f, want computing %v", c.script, known, share, c.computes)
		}
		for _, pid := range all[:len(all)-1] {
			_ = exec.Command("kill", "-9", strconv.Itoa(pid)).Run()
		}
		cancel()
		_ = cmd.Wait()
	}
}
