package state

import "golang.org/x/sys/windows"

// free is how many bytes of the disk of dir are left for this user; false where that cannot be told.
func free(dir string) (int64, bool) {
	path, err := windows.UTF16PtrFromString(dir)
	var left uint64
	if err != nil || windows.GetDiskFreeSpaceEx(path, &left, nil, nil) != nil {
		return 0, false
	}
	return int64(left), true
}
