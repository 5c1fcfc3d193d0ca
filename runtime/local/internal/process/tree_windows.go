package process

import (
	"context"
	"net"
	"os"
	"os/exec"
	"strconv"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// connect chooses a port on the loopback interface for the proxy, because Python on Windows cannot inherit sockets. It
// also passes the read end of the lifeline to the child.
func (p *process) connect(childFiles *[]*os.File) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	address := l.Addr().(*net.TCPAddr)
	l.Close()
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	*childFiles = append(*childFiles, r)
	p.lifeline = w
	p.cmd.Env = append(p.cmd.Env, "PROXY_HOST=127.0.0.1", "PORT="+strconv.Itoa(address.Port))
	p.dial = func(ctx context.Context) (net.Conn, error) {
		for {
			var d net.Dialer
			c, err := d.DialContext(ctx, "tcp", address.String())
			if err == nil {
				return c, nil
			}
			select {
			case <-time.After(20 * time.Millisecond): // Python is still starting
			case <-p.done:
				return nil, err
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
	}
	return nil
}

// tree is a job object. Closing it kills its processes, and Windows closes it when this process ends.
type tree struct{ job windows.Handle }

func startTree(cmd *exec.Cmd) (*tree, error) {
	job, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return nil, err
	}
	info := windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION{BasicLimitInformation: windows.JOBOBJECT_BASIC_LIMIT_INFORMATION{
		LimitFlags: windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE}}
	_, err = windows.SetInformationJobObject(job, windows.JobObjectExtendedLimitInformation, uintptr(unsafe.Pointer(&info)), uint32(unsafe.Sizeof(info)))
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		windows.CloseHandle(job)
		return nil, err
	}
	if h, err := windows.OpenProcess(windows.PROCESS_SET_QUOTA|windows.PROCESS_TERMINATE, false, uint32(cmd.Process.Pid)); err == nil {
		windows.AssignProcessToJobObject(job, h)
		windows.CloseHandle(h)
	}
	return &tree{job}, nil
}

// end closes the job object, which kills all its processes. A process cannot leave the job.
func (p *process) end() { windows.CloseHandle(p.tree.job) }

func killProcess(pid int) {
	if p, err := os.FindProcess(pid); err == nil {
		p.Kill()
	}
}
