package state

import "golang.org/x/sys/windows"

// free returns the bytes available to this user on the disk of dir. It returns false if they are unknown.
func free(dir string) (int64, bool) {
	path, err := windows.UTF16PtrFromString(dir)
	var left uint64
	if err != nil || windows.GetDiskFreeSpaceEx(path, &left, nil, nil) != nil {
		return 0, false
	}
	return int64(left), true
}
