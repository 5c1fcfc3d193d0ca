//go:build unix

package process

import (
	"context"
	"net"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"fn-runtime/runtime/local/internal/sandbox"
)

// connect passes two file descriptors to the child. The first is one end of a socket pair for the connection to the
// proxy: no other process on this machine can connect to it. The second is the lifeline, the read end of a pipe that is
// closed when this process ends for any reason. The guard then kills its whole group.
func (p *process) connect(childFiles *[]*os.File) error {
	syscall.ForkLock.RLock()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(fds[0])
		syscall.CloseOnExec(fds[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return err
	}
	parentEnd, childEnd := os.NewFile(uintptr(fds[0]), "proxy"), os.NewFile(uintptr(fds[1]), "proxy")
	*childFiles = append(*childFiles, parentEnd, childEnd) // FileConn duplicates parentEnd, so it is closed too
	conn, err := net.FileConn(parentEnd)
	if err != nil {
		return err
	}
	r, w, err := os.Pipe()
	if err != nil {
		conn.Close()
		return err
	}
	*childFiles = append(*childFiles, r)
	p.lifeline = w
	first := make(chan net.Conn, 1)
	first <- conn
	p.dial = func(context.Context) (net.Conn, error) {
		select {
		case c := <-first:
			return c, nil
		default:
			return nil, net.ErrClosed
		}
	}
	p.cmd.ExtraFiles = []*os.File{childEnd, r}
	p.cmd.Env = append(p.cmd.Env, "PROXY_FD="+strconv.Itoa(3), "PROXY_LIFELINE="+strconv.Itoa(4))
	return nil
}

// tree is the process group of a worker.
type tree struct{ group int }

func startTree(cmd *exec.Cmd) (*tree, error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &tree{cmd.Process.Pid}, nil
}

// guardTimeout is how long the guard may take to kill its descendants.
const guardTimeout = 3 * time.Second

// end kills all processes. If there is no control group, the guard kills them: on Linux it is also the parent of
// processes that have left the process group. If the guard does not end in time, for example because the action has
// stopped it, end kills the guard and the descendants that it can find.
func (p *process) end() {
	p.lifeline.Close()
	if !p.group.kill() {
		select {
		case <-p.done:
		case <-time.After(guardTimeout):
			for _, pid := range sandbox.Descendants(p.cmd.Process.Pid) {
				killProcess(pid)
			}
		}
	}
	syscall.Kill(-p.tree.group, syscall.SIGKILL)
}

func killProcess(pid int) { syscall.Kill(pid, syscall.SIGKILL) }
