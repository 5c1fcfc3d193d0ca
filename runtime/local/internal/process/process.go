// Package process runs actions as local Python processes.
//
// What may go in: starting a process with the action proxy in it, its environment, its memory limit, and making sure that
// nothing of it survives. What may not: when processes are reused or how many there are (package invoker), the protocol.
//
// A process is not a container: it runs with the rights of the endpoint's user and sees this machine's files. What it gets
// is a folder, an environment and a process group of its own.
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

// Options says where processes live and what runs them.
type Options struct {
	Dir    string // a folder of the starter's own
	Python string // default interpreter, "python3"
}

// Starter starts processes. It implements sandbox.Starter.
type Starter struct {
	dir, python string
	proxy       string // path of the action proxy
	found       interpreters
	groups      groups
}

// New ends the processes that an earlier starter with the same Dir left behind, if it was killed, and removes their files.
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

// Close removes the folder.
func (s *Starter) Close(context.Context) error { return os.RemoveAll(s.dir) }

// process is one Python with a proxy and whatever the action starts. It implements sandbox.Sandbox.
type process struct {
	dir      string // also the mark that all of its processes carry
	cmd      *exec.Cmd
	tree     *tree
	group    *group // nil where the system has none
	dial     func(context.Context) (net.Conn, error)
	lifeline *os.File
	logs     *sandbox.Logs
	watch    *watch
	meter    sandbox.Meter
	done     chan struct{}
	closing  sync.Once
}

// Start starts a Python.
func (s *Starter) Start(ctx context.Context, spec sandbox.Spec) (sandbox.Sandbox, error) {
	name := spec.Python
	if name == "" {
		name = s.python
	}
	python, err := s.found.find(ctx, name)
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
	p.group = s.groups.start(filepath.Base(p.dir), p.cmd.Process.Pid)
	p.watch = newWatch(p.cmd.Process.Pid, p.group, spec.MemoryMB, p.logs)
	go func() {
		_ = p.cmd.Wait()
		p.group.kill() // an action may have killed its guard
		p.lifeline.Close()
		close(p.done)
	}()
	return p, nil
}

// start runs cmd with its output in the logs and connected to the proxy.
func (p *process) start() error {
	var theirs []*os.File // descriptors of the child, closed here once it runs
	defer func() {
		for _, f := range theirs {
			f.Close()
		}
	}()
	pipe := func() (*os.File, *os.File, error) {
		r, w, err := os.Pipe()
		if err == nil {
			theirs = append(theirs, w)
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
	if err = p.connect(&theirs); err == nil {
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

// Logs reads the output.
func (p *process) Logs() *sandbox.Logs { return p.logs }

// Wake begins to watch the memory closely.
func (p *process) Wake(context.Context) error {
	p.watch.set(true)
	return nil
}

// Rest watches the memory from time to time only.
func (p *process) Rest() { p.watch.set(false) }

// Wanted returns the processor time that the processes have used or queued for, also to start: the guard imports the proxy.
func (p *process) Wanted() (time.Duration, bool) {
	guard := p.cmd.Process.Pid
	return p.meter.Read(append(members(guard, p.group), guard))
}

// Done is closed when the proxy has ended.
func (p *process) Done() <-chan struct{} { return p.done }

// OutOfMemory reports whether the watch has killed the proxy.
func (p *process) OutOfMemory() bool { return p.watch.killedAll() }

// Close kills every process and removes the folder.
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
