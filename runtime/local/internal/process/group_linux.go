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

// groups creates control groups (cgroup v2) for workers, below the group of this process. The zero value creates none;
// findGroups returns it if the system has no cgroup v2.
type groups struct{ prefix string } // path of a group without the worker's name

// findGroups returns the groups of the starter of dir. It kills the processes in groups that an earlier starter of the
// same directory left behind, and removes those groups.
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
		_ = os.Remove(dir) // left by a killed endpoint; Remove fails for a group that contains processes
	}
	g := groups{filepath.Join(mount, path, "fn-runtime-"+hex.EncodeToString(sum[:6])+"-")}
	leftovers, _ := filepath.Glob(g.prefix + "*")
	for _, dir := range leftovers {
		(&group{dir}).kill()
		(&group{dir}).remove()
	}
	return g
}

// group is the control group of one worker. It contains every process that the worker starts. A nil group is valid and
// means that there is no control group.
type group struct{ dir string }

// create creates a group for a guard process that has just started and has not run any action code yet. It returns nil
// if the group cannot be created, for example because the control groups belong to another user.
func (g groups) create(name string, guard int) *group {
	if g.prefix == "" {
		return nil
	}
	w := &group{g.prefix + name}
	if err := os.Mkdir(w.dir, 0o700); err != nil {
		return nil
	}
	ok := w.add(guard)
	for _, pid := range sandbox.Descendants(guard) { // forked before the guard was added; later children inherit the group
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

// processes returns the PIDs of the group.
func (g *group) processes() (pids []int) {
	raw, _ := os.ReadFile(filepath.Join(g.dir, "cgroup.procs"))
	for field := range strings.FieldsSeq(string(raw)) {
		if pid, err := strconv.Atoi(field); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// kill kills all processes of the group and reports whether that is supported. It requires Linux 5.14 or later.
func (g *group) kill() bool {
	return g != nil && os.WriteFile(filepath.Join(g.dir, "cgroup.kill"), []byte("1"), 0) == nil
}

// remove removes the group. It waits up to a second for killed processes to end.
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
