//go:build linux

package soak

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// sample holds the resources of the endpoint's process at one moment.
type sample struct {
	at          time.Duration // since the start
	residentKB  int64
	anonymousKB int64 // part of residentKB, without file pages: bbolt maps its file
	heapKB      int64 // live heap after the last garbage collection, rounded to MB by the Go runtime; -1 before the first
	descriptors int
	threads     int
	children    int   // descendant processes
	stateBytes  int64 // disk usage of the state directory, without logs
}

// watch takes one sample per second until ctx ends, and at least twenty in all.
func watch(ctx context.Context, t *testing.T, pid int, dir string) (all []sample) {
	begin := time.Now()
	tick := time.NewTicker(min(time.Second, *length/40))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return all
		case <-tick.C:
			x := takeSample(t, pid, dir)
			x.at = time.Since(begin)
			all = append(all, x)
		}
	}
}

// takeSample reads one sample from /proc and the state directory.
func takeSample(t *testing.T, pid int, dir string) (x sample) {
	t.Helper()
	proc := fmt.Sprintf("/proc/%d", pid)
	status, err := os.ReadFile(proc + "/status")
	if err != nil {
		t.Errorf("the endpoint has ended: %v", err)
		return x
	}
	x.residentKB, x.anonymousKB, x.threads = field(status, "VmRSS"), field(status, "RssAnon"), int(field(status, "Threads"))
	fds, _ := os.ReadDir(proc + "/fd")
	x.descriptors = len(fds)
	x.children = len(below(pid))
	x.heapKB = alive(filepath.Join(dir, "stderr.log"))
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.Contains(d.Name(), ".jsonl") || d.Name() == "stderr.log" {
			return nil // removed in the meantime, or not part of the state
		}
		if info, err := d.Info(); err == nil {
			x.stateBytes += info.Size()
		}
		return nil
	})
	return x
}

func field(status []byte, name string) int64 {
	for line := range bytes.Lines(status) {
		if rest, ok := bytes.CutPrefix(line, []byte(name+":")); ok {
			n, _ := strconv.ParseInt(strings.Fields(string(rest))[0], 10, 64)
			return n
		}
	}
	return 0
}

// below returns the PIDs of all descendants of a process.
func below(pid int) (all []int) {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, file := range tasks {
		data, _ := os.ReadFile(file)
		for word := range strings.FieldsSeq(string(data)) {
			if child, err := strconv.Atoi(word); err == nil {
				all = append(append(all, child), below(child)...)
			}
		}
	}
	return all
}

// collection matches the Go runtime's report of a garbage collection: "gc 9 @1.2s 1%: ... ms cpu, 7->8->3 MB, ...".
var collection = regexp.MustCompile(`(?m)^gc \d+ @.*\d+->\d+->(\d+) MB`)

func alive(file string) int64 {
	data, _ := os.ReadFile(file)
	all := collection.FindAllSubmatch(data, -1)
	if len(all) == 0 {
		return -1
	}
	mb, _ := strconv.ParseInt(string(all[len(all)-1][1]), 10, 64)
	return mb << 10
}

// tenth returns the n-th tenth of the samples, 0-based.
func tenth(all []sample, n int) []sample { return all[len(all)*n/10 : len(all)*(n+1)/10] }

func median(all []sample, of func(sample) int64) int64 {
	values := make([]int64, 0, len(all))
	for _, x := range all {
		values = append(values, of(x))
	}
	slices.Sort(values)
	return values[len(values)/2]
}
