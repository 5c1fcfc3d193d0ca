package atomicfile

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// closeFirst is true on systems that cannot rename or remove an open file.
const closeFirst = true

// OpenLocked opens a file for reading and writing and locks it for this process. With os.O_CREATE in flag it creates a
// missing file. It returns nil without an error if another process holds the lock.
func OpenLocked(path string, flag int) (*os.File, error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return nil, err
	}
	mode := uint32(windows.OPEN_EXISTING)
	if flag&os.O_CREATE != 0 {
		mode = windows.OPEN_ALWAYS
	}
	h, err := windows.CreateFile(name, windows.GENERIC_READ|windows.GENERIC_WRITE, 0, nil, mode, windows.FILE_ATTRIBUTE_NORMAL, 0)
	if errors.Is(err, windows.ERROR_SHARING_VIOLATION) {
		return nil, nil
	}
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(h), path), nil
}
