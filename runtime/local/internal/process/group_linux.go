package process

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"fn-runtime/runtime/local/internal/sandbox"
)

// groups makes control groups (cgroup v2) for workers, below the group of this process. Its zero value makes none: the
// system has none, or they are another user's.
type groups struct{ prefix string } // path of a group without its name

// findGroups ends what an earlier starter with the same dir left in its groups.
func findGroups(dir string) groups {
	mounts, _ := os.ReadFile("/proc/self/mountinfo")
	own, _ := os.ReadFile("/proc/self/cgroup")
	var mount, path string
	for line := range strings.Lines(string(mounts)) {
		before, after, _ := strings.Cut(line, " - ")
		if fields := strings.Fields(before); strings.HasPrefix(after, "cgroup2 ") && len(fields) > 4 && fields[3] == "/" {
			mount = fields[4]
		}
	}
	for line := range strings.Lines(string(own)) {
		if rest, ok := strings.CutPrefix(line, "0::"); ok {
			path = strings.TrimSpace(rest)
		}
	}
	if mount == "" || path == "" {
		return groups{}
	}
	sum := sha256.Sum256([]byte(dir))
	empty, _ := filepath.Glob(filepath.Join(mount, path, "fn-runtime-*"))
	for _, dir := range empty {
		_ = os.Remove(dir) // of an endpoint that was killed; one with processes in it stays
	}
	g := groups{filepath.Join(mount, path, "fn-runtime-"+hex.EncodeToString(sum[:6])+"-")}
	left, _ := filepath.Glob(g.prefix + "*")
	for _, dir := range left {
		(&group{dir}).kill()
		(&group{dir}).remove()
	}
	return g
}

// group is the control group of one worker: all that its processes start is in it. Nil is none.
type group struct{ dir string }

// start makes a group of a guard that has just been started, and whose server has not been told to run anything yet. It
// returns nil where that cannot be done.
func (g groups) start(name string, guard int) *group {
	if g.prefix == "" {
		return nil
	}
	w := &group{g.prefix + name}
	if err := os.Mkdir(w.dir, 0o700); err != nil {
		return nil
	}
	ok := w.add(guard)
	for _, pid := range sandbox.Descendants(guard) { // forked before that; any later one is in it already
		ok = ok && w.add(pid)
	}
	if !ok {
		w.kill()
		w.remove()
		return nil
	}
	return w
}

func (g *group) add(pid int) bool {
	return os.WriteFile(filepath.Join(g.dir, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0) == nil
}

// processes lists those in the group.
func (g *group) processes() (pids []int) {
	raw, _ := os.ReadFile(filepath.Join(g.dir, "cgroup.procs"))
	for field := range strings.FieldsSeq(string(raw)) {
		if pid, err := strconv.Atoi(field); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// kill ends all of the group, and reports whether it could: Linux 5.14 and later.
func (g *group) kill() bool {
	return g != nil && os.WriteFile(filepath.Join(g.dir, "cgroup.kill"), []byte("1"), 0) == nil
}

// remove waits a second for what was killed.
func (g *group) remove() {
	if g == nil {
		return
	}
	for range 100 {
		if err := os.Remove(g.dir); err == nil || os.IsNotExist(err) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}
