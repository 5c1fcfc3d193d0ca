//go:build unix

package regular

import "syscall"

// NonBlock is a flag of os.OpenFile: the opening of a pipe returns although nobody is at its other end.
const NonBlock = syscall.O_NONBLOCK
