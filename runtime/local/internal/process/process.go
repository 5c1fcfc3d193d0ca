// Package process runs actions as local Python processes.
//
// A process is not a container. It runs with the permissions of the endpoint's user and can access this machine's
// files. It has its own directory, environment and process group.
//
// The package starts processes that run the action proxy, sets their environment, enforces their memory limit and
// ensures that no process is left behind. It does not decide when processes are reused or how many there are (package
// invoker), and it does not implement the action protocol.
package process

import (
	"context"
	"crypto/rand"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"fn-runtime/i18n"
	"fn-runtime/runtime/actionproxy"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/local/internal/sandbox"
)

// Options configures a Starter.
type Options struct {
	Dir    string // directory that only the starter uses
	Python string // default interpreter; empty means "python3"
}

// Starter starts processes. It implements sandbox.Starter.
type Starter struct {
	dir, python  string
	proxy        string // path of the action proxy
	interpreters interpreters
	groups       groups
}

// New returns a starter. If an earlier starter of the same directory was killed, New kills the processes that it left
// behind and removes their files.
func New(o Options) (*Starter, error) {
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, err
	}
	s := &Starter{dir: dir, python: o.Python, proxy: filepath.Join(dir, actionproxy.Name)}
	if s.python == "" {
		s.python = "python3"
	}
	s.groups = findGroups(dir)
	killMarked(dir+string(filepath.Separator), true)
	err = os.RemoveAll(dir)
	if err == nil {
		err = os.MkdirAll(dir, 0o700)
	}
	if err == nil {
		err = os.WriteFile(s.proxy, actionproxy.Source(), 0o600)
	}
	if err != nil {
		return nil, fault.New(fault.Internal,
			i18n.M("The working directory for actions, {{.Dir}}, cannot be used.", "Dir", dir),
			i18n.M("Check that you own the directory and that the disk is not full.")).Because(err)
	}
	return s, nil
}

// Close removes the starter's directory.
func (s *Starter) Close(context.Context) error { return os.RemoveAll(s.dir) }

// process is a Python process that runs the action proxy, together with all processes that the action starts. It
// implements sandbox.Sandbox.
type process struct {
	dir      string // also the value of PROXY_WORKER in the environment of all its processes
	cmd      *exec.Cmd
	tree     *tree
	group    *group // nil if control groups are not available
	dial     func(context.Context) (net.Conn, error)
	lifeline *os.File
	logs     *sandbox.Logs
	watch    *watch
	meter    sandbox.Meter
	done     chan struct{}
	closing  sync.Once
}

// Start starts a Python process. It returns a fault.NotFound or fault.Invalid error if the interpreter cannot be used.
func (s *Starter) Start(ctx context.Context, spec sandbox.Spec) (sandbox.Sandbox, error) {
	name := spec.Python
	if name == "" {
		name = s.python
	}
	python, err := s.interpreters.find(ctx, name)
	if err != nil {
		return nil, err
	}
	p := &process{dir: filepath.Join(s.dir, rand.Text()), done: make(chan struct{}),
		logs: sandbox.NewLogs(time.Now, spec.LogLimit())}
	for _, dir := range []string{p.dir, filepath.Join(p.dir, "tmp"), filepath.Join(p.dir, "home")} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			return nil, err
		}
	}
	p.cmd = exec.Command(python.path, s.proxy)
	p.cmd.Dir = p.dir
	p.cmd.Env = environment(os.Environ(), python, p.dir, spec.Env)
	if err := p.start(); err != nil {
		os.RemoveAll(p.dir)
		return nil, fault.New(fault.Internal, i18n.M("Python interpreter {{.Path}} could not be started.", "Path", python.path),
			i18n.M("Run 'ibmcloud fn-runtime doctor' to check that this Python interpreter works.")).Because(err)
	}
	p.group = s.groups.create(filepath.Base(p.dir), p.cmd.Process.Pid)
	p.watch = newWatch(p.cmd.Process.Pid, p.group, spec.MemoryMB, p.logs)
	go func() {
		_ = p.cmd.Wait()
		p.group.kill() // the action may have killed its guard, which would otherwise have killed the other processes
		p.lifeline.Close()
		close(p.done)
	}()
	return p, nil
}

// start starts cmd, connects to its proxy and writes its output to the logs.
func (p *process) start() error {
	var childFiles []*os.File // file descriptors of the child, closed here once the child runs
	defer func() {
		for _, f := range childFiles {
			f.Close()
		}
	}()
	pipe := func() (*os.File, *os.File, error) {
		r, w, err := os.Pipe()
		if err == nil {
			childFiles = append(childFiles, w)
		}
		return r, w, err
	}
	outR, outW, err := pipe()
	if err != nil {
		return err
	}
	errR, errW, err := pipe()
	if err != nil {
		outR.Close()
		return err
	}
	p.cmd.Stdout, p.cmd.Stderr = outW, errW
	if err = p.connect(&childFiles); err == nil {
		p.tree, err = startTree(p.cmd)
	}
	if err != nil {
		outR.Close()
		errR.Close()
		if p.lifeline != nil {
			p.lifeline.Close()
		}
		return err
	}
	p.logs.Follow("stdout", outR)
	p.logs.Follow("stderr", errR)
	return nil
}

// Dial returns the connection to the proxy.
func (p *process) Dial(ctx context.Context) (net.Conn, error) { return p.dial(ctx) }

// Logs returns the output of the process.
func (p *process) Logs() *sandbox.Logs { return p.logs }

// Wake measures the memory at short intervals from now on.
func (p *process) Wake(context.Context) error {
	p.watch.set(true)
	return nil
}

// Idle measures the memory at long intervals from now on.
func (p *process) Idle() { p.watch.set(false) }

// CPUDemand returns the CPU time that the processes have used or have waited for. It includes the startup, because the
// guard imports the proxy.
func (p *process) CPUDemand() (time.Duration, bool) {
	guard := p.cmd.Process.Pid
	return p.meter.Read(append(members(guard, p.group), guard))
}

// Done returns a channel that is closed when the proxy has ended.
func (p *process) Done() <-chan struct{} { return p.done }

// OutOfMemory reports whether the proxy was killed because the memory limit was exceeded.
func (p *process) OutOfMemory() bool { return p.watch.killedServer() }

// Close kills all processes and removes the directory of the process.
func (p *process) Close() {
	p.closing.Do(func() {
		p.watch.stop()
		p.end()
		killMarked(p.dir, false)
		<-p.done
		p.group.remove()
		os.RemoveAll(p.dir)
	})
}
