//go:build !windows

package state

import "golang.org/x/sys/unix"

// free is how many bytes of the disk of dir are left for this user; false where that cannot be told.
func free(dir string) (int64, bool) {
	var st unix.Statfs_t
	if unix.Statfs(dir, &st) != nil {
		return 0, false
	}
	return int64(st.Bavail) * int64(st.Bsize), true //nolint:unconvert // the types differ between systems
}
