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

// connect returns the proxy one end of a socket pair, so that nobody else on this machine can speak with it, and the end of
// a pipe that closes when this process dies, however it dies: the guard then kills its whole group.
func (p *process) connect(theirs *[]*os.File) error {
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
	ours, their := os.NewFile(uintptr(fds[0]), "proxy"), os.NewFile(uintptr(fds[1]), "proxy")
	*theirs = append(*theirs, ours, their)
	conn, err := net.FileConn(ours)
	if err != nil {
		return err
	}
	r, w, err := os.Pipe()
	if err != nil {
		conn.Close()
		return err
	}
	*theirs = append(*theirs, r)
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
	p.cmd.ExtraFiles = []*os.File{their, r}
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

// timeToEnd is how long the guard may take to kill what is below it.
const timeToEnd = 3 * time.Second

// end ends the group, where there is one. Else the guard kills every process, because it is the parent of those that have
// left the process group as well, on Linux. One that the action has stopped is killed with all that can be found from here.
func (p *process) end() {
	p.lifeline.Close()
	if !p.group.kill() {
		select {
		case <-p.done:
		case <-time.After(timeToEnd):
			for _, pid := range sandbox.Descendants(p.cmd.Process.Pid) {
				killProcess(pid)
			}
		}
	}
	syscall.Kill(-p.tree.group, syscall.SIGKILL)
}

func killProcess(pid int) { syscall.Kill(pid, syscall.SIGKILL) }
