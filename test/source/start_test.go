package source

import (
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"fn-runtime/test/harness"
)

// The binary must stay below 28 MB, and the packages of the plug-in must do almost no work before main, because every
// command starts the whole plug-in. docs/performance.md lists the initialization of libraries.
func TestStartIsLight(t *testing.T) {
	bin := harness.Binary(t)
	info, err := os.Stat(bin)
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() >= 28_000_000 {
		t.Errorf("the binary has %.1f MB", float64(info.Size())/1e6)
	}
	cmd := exec.Command(bin, "SendMetadata")
	cmd.Env = append(os.Environ(), "GODEBUG=inittrace=1", "HOME="+t.TempDir())
	var trace strings.Builder
	cmd.Stderr = &trace
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	lines := regexp.MustCompile(`(?m)^init (\S+) .* (\d+) bytes, \d+ allocs$`).FindAllStringSubmatch(trace.String(), -1)
	ours := 0
	for _, l := range lines {
		if !strings.HasPrefix(l[1], "fn-runtime/") {
			continue
		}
		ours++
		if n, _ := strconv.Atoi(l[2]); n > 8<<10 {
			t.Errorf("%s sets up %d bytes at import", l[1], n)
		}
	}
	if ours == 0 {
		t.Errorf("no package of ours in the trace of %d", len(lines))
	}
}
