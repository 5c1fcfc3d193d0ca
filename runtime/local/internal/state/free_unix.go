//go:build !windows

package state

import "golang.org/x/sys/unix"

// free returns the bytes available to this user on the disk of dir. It returns false if they are unknown.
func free(dir string) (int64, bool) {
	var st unix.Statfs_t
	if unix.Statfs(dir, &st) != nil {
		return 0, false
	}
	return int64(st.Bavail) * int64(st.Bsize), true //nolint:unconvert // the types differ between platforms
}
