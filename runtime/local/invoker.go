package local

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"os/exec"
	"path/filepath"
	"strconv"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/local/internal/state"
	"fn-runtime/runtime/local/invoke"
	"fn-runtime/runtime/local/invoker"
	"fn-runtime/runtime/text"
)

// defaultInvoker is the kind of invoker that requires only Python.
const defaultInvoker = invoker.Process

// Invokers returns the kinds of invoker that 'local start --invoker' accepts.
func Invokers() []string { return []string{invoker.Process, invoker.Docker, invoker.Auto} }

// InvokerSetup is the configuration that the endpoint passes to its invoker.
type InvokerSetup struct {
	Kind     string // "process", "docker" or "auto"
	Dir      string // directory that only the invoker uses, mode 0700
	Python   string // interpreter for actions that do not specify one
	MemoryMB int    // maximum sum of the memory limits of all workers
	Forward  []int  // ports of the endpoint that actions must reach on their own loopback interface
	Log      *slog.Logger
	// ReserveDisk reserves disk space for the code of actions.
	ReserveDisk invoker.ReserveFunc
}

// newInvoker creates an invoker.
func newInvoker(ctx context.Context, s InvokerSetup) (invoke.Invoker, error) {
	return invoker.New(ctx, invoker.Options{Kind: s.Kind, Dir: s.Dir, Python: s.Python, MemoryMB: s.MemoryMB, Forward: s.Forward, ReserveDisk: s.ReserveDisk})
}

// setUpInvoker creates the invoker. It also returns listeners on the container engine's bridge, through which
// containers reach the endpoint. There are none for processes.
func (o Options) setUpInvoker(ctx context.Context, info *Info, disk *state.Disk, log *slog.Logger) (invoke.Invoker, []net.Listener, error) {
	dir := filepath.Join(o.Dir, "invoker")
	if err := ensureDir(dir); err != nil {
		return nil, nil, err
	}
	create := o.NewInvoker
	if create == nil {
		create = newInvoker
	}
	v, err := create(ctx, InvokerSetup{
		Kind: info.InvokerRequested, Dir: dir, Python: info.Python, MemoryMB: info.MemoryMB, Forward: info.ports(), Log: log,
		ReserveDisk: func(bytes int64) (func(), error) {
			reservation, err := disk.Reserve(bytes)
			if err != nil {
				return nil, err
			}
			return reservation.Close, nil
		},
	})
	if err != nil {
		return nil, nil, err
	}
	if named, ok := v.(interface{ Kind() string }); ok {
		info.Invoker = named.Kind()
	}
	bridged, ok := v.(interface {
		BridgeAddress(context.Context) (string, error)
	})
	if !ok {
		return v, nil, nil
	}
	address, err := bridged.BridgeAddress(ctx)
	if err != nil {
		return nil, nil, errors.Join(err, v.Close(ctx))
	}
	if address == "" {
		return v, nil, nil
	}
	var listeners []net.Listener
	for _, port := range info.ports() {
		l, err := net.Listen("tcp", net.JoinHostPort(address, strconv.Itoa(port)))
		if err != nil {
			for _, l := range listeners {
				err = errors.Join(err, l.Close())
			}
			return nil, nil, errors.Join(fault.New(fault.Conflict,
				i18n.M("Port {{.Port}} cannot be opened on the container engine's bridge, {{.Address}}.", "Port", port, "Address", address),
				i18n.M("Specify another port with 'ibmcloud fn-runtime local start --port PORT'.")).Because(err), v.Close(ctx))
		}
		listeners = append(listeners, l)
	}
	return v, listeners, nil
}

var pythonVersion = text.NewPattern(`^3\.\d{1,2}$`)

// interpreter finds the default Python interpreter of actions and returns its path. requested may be a path, a name or
// a version such as "3.11". If requested is not found, interpreter returns a fault.Invalid error. If nothing is
// requested and no interpreter is found, it returns a name, because actions that specify their own interpreter can
// still run.
func interpreter(requested, previous string) (string, error) {
	name := cmp.Or(requested, previous, "python3")
	if pythonVersion.MatchString(name) {
		name = "python" + name
	}
	path, err := exec.LookPath(name)
	if err == nil {
		path, err = filepath.Abs(path)
	}
	switch {
	case err == nil:
		return path, nil
	case requested != "":
		return "", fault.New(fault.Invalid,
			i18n.M("Python '{{.Python}}' was not found on this machine.", "Python", requested),
			i18n.M("Install it, or specify another interpreter with 'ibmcloud fn-runtime local start --python PYTHON'.")).Because(err)
	}
	return name, nil
}
