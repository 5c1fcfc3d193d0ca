//go:build unix

package regular

import "syscall"

// NonBlock is a flag for os.OpenFile. With it, opening a pipe returns even if the pipe has no writer.
const NonBlock = syscall.O_NONBLOCK
