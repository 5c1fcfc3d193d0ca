//go:build unix

package regular

import "syscall"

// NoWait is a flag of os.OpenFile: the opening of a pipe returns although nobody is at its other end.
const NoWait = syscall.O_NONBLOCK
