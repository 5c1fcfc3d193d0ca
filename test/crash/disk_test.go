//go:build linux

package crash

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"fn-runtime/runtime/local/cloud"
	"fn-runtime/test/harness"
)

// smallDisk mounts a 256 KiB file system and returns its directory.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=256k,mode=0700"); err != nil {
		harness.Missing(t, "a file system cannot be mounted here: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

// home returns a client whose home directory is dir.
func home(t *testing.T, dir string) *cloud.Client {
	t.Helper()
	u := cloud.Open(t, t.TempDir(), nil).NewClient(t, "openwhisk", cloud.Lithops(t, ""))
	u.Home = dir
	u.Write(t, ".lithops/config", u.Cloud.ClientConfig("openwhisk"))
	for _, name := range []string{"tmp", "work", "state"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return u
}

func run(t *testing.T, u *cloud.Client, line string) cloud.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	return u.Binary(ctx, t, line)
}

// fill uses up the disk space of a home directory. The returned function frees some of it.
func fill(t *testing.T, dir string) func() {
	t.Helper()
	path := filepath.Join(dir, "filler")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, size := range []int{4096, 1} {
		for {
			if _, err := f.Write(make([]byte, size)); err != nil {
				break
			}
		}
	}
	return func() { _ = os.Remove(path) }
}

// With a full disk, or with a read-only home, a deployment works and reports that the cached copy was not stored. A
// command that needs the disk reports an error. No partial files remain.
func TestFullHomeDisk(t *testing.T) {
	for name, take := range map[string]func(t *testing.T, dir string) (giveBack func()){
		"full": fill,
		"read-only": func(t *testing.T, dir string) func() {
			if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
				t.Fatal(err)
			}
			return func() { _ = syscall.Mount("", dir, "", syscall.MS_REMOUNT, "") }
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := smallDisk(t)
			u := home(t, dir)
			giveBack := take(t, dir)
			a := run(t, u, "deploy me/img:1")
			if a.Status != 0 || !strings.Contains(a.Err, "cache was not updated") {
				t.Errorf("deploy: %s", a)
			}
			if a := run(t, u, "list"); a.Status != 0 || !strings.Contains(a.Out, "me/img:1") {
				t.Errorf("list: %s", a)
			}
			for _, line := range []string{"init skeleton", "local start"} {
				cmd := u.CommandArgs(t, strings.Fields(line)...)
				if a := cloud.Finish(t.Context(), t, cmd); a.Status != 1 || !strings.Contains(a.Err, "FAILED") || strings.Contains(a.Err, "panic") {
					t.Errorf("%s: %s", line, a)
				}
			}
			giveBack()
			_ = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
				if err == nil && strings.HasSuffix(path, ".tmp") {
					t.Errorf("left: %s", path)
				}
				return nil
			})
			if a := run(t, u, "deploy me/img:1"); a.Status != 0 || strings.Contains(a.Err, "cache was not updated") {
				t.Errorf("with room again: %s", a)
			}
			_ = cloud.Finish(t.Context(), t, u.CommandArgs(t, "local", "stop"))
		})
	}
}

// If a trace or an output cannot be written, the command still completes its work.
func TestOutputThatCannotBeWritten(t *testing.T) {
	u := home(t, t.TempDir())
	if a := func() cloud.Result {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		return u.Binary(ctx, t, "deploy me/img:1", "IBMCLOUD_TRACE=/no/such/folder/trace")
	}(); a.Status != 1 || !strings.Contains(a.Err, "IBMCLOUD_TRACE") {
		t.Errorf("trace: %s", a)
	}
	cmd := u.Command(t, "deploy me/img:1 --output json")
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	cmd.Stdout = full
	if err := cmd.Run(); err == nil {
		t.Error("an answer that could not be written counts as success")
	}
	if a := run(t, u, "deploy me/img:1 --output json"); a.Status != 0 || strings.Contains(a.Out, `"changed": true`) {
		t.Errorf("the work was not finished: %s", a)
	}
}
