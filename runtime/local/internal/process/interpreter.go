package process

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os/exec"
	"sync"
	"time"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
)

// interpreter is a Python interpreter on this machine.
type interpreter struct {
	path     string // the real interpreter, not a launcher such as a pyenv shim
	userBase string // site.getuserbase()
}

// interpreters caches the properties of Python interpreters.
type interpreters struct {
	mu     sync.Mutex
	probes map[string]*probe // by name or path
}

// probe is one run of a Python interpreter that prints its properties. The caller that creates the probe runs it, and
// other callers wait for it. The fields result and err may be read after done is closed.
type probe struct {
	done   chan struct{}
	result interpreter
	err    error
}

const probeScript = `import json, site, sys; print(json.dumps([sys.executable, site.getuserbase(), list(sys.version_info[:2])]))`

// probeTimeout is the time limit for a probe.
const probeTimeout = 20 * time.Second

// find returns the properties of the Python interpreter with the given name or path. It runs each interpreter once. An
// interpreter that hangs does not delay callers that look up a different one.
func (f *interpreters) find(ctx context.Context, name string) (interpreter, error) {
	for {
		f.mu.Lock()
		p, exists := f.probes[name]
		if !exists {
			p = &probe{done: make(chan struct{})}
			if f.probes == nil {
				f.probes = map[string]*probe{}
			}
			f.probes[name] = p
		}
		f.mu.Unlock()
		if !exists {
			p.result, p.err = runProbe(ctx, name)
			if p.err != nil { // do not cache the error: the user may fix the interpreter
				f.mu.Lock()
				delete(f.probes, name)
				f.mu.Unlock()
			}
			close(p.done)
		}
		select {
		case <-p.done:
		case <-ctx.Done():
			return interpreter{}, ctx.Err()
		}
		if !exists || !errors.Is(p.err, context.Canceled) { // otherwise the caller that ran the probe was canceled: retry
			return p.result, p.err
		}
	}
}

// runProbe runs a Python interpreter and returns its properties. It returns context.Canceled if ctx ends.
func runProbe(ctx context.Context, name string) (interpreter, error) {
	timed, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	cmd := exec.CommandContext(timed, name, "-c", probeScript)
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	if ctx.Err() != nil {
		return interpreter{}, context.Canceled
	}
	if err != nil {
		f := fault.New(fault.NotFound, i18n.M("Python '{{.Name}}' failed to run.", "Name", name),
			i18n.M("Install Python 3.6 or later, or restart the endpoint with '--python PATH'.")).Because(err)
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			f.With(string(bytes.TrimSpace(exit.Stderr)))
		}
		return interpreter{}, f
	}
	var fields [3]json.RawMessage
	var p interpreter
	var version [2]int
	if err := errors.Join(json.Unmarshal(out, &fields), json.Unmarshal(fields[0], &p.path),
		json.Unmarshal(fields[1], &p.userBase), json.Unmarshal(fields[2], &version)); err != nil || p.path == "" {
		return interpreter{}, fault.New(fault.Invalid, i18n.M("'{{.Name}}' is not Python.", "Name", name),
			i18n.M("Restart the endpoint with '--python PATH'.")).Because(err)
	}
	if version[0] != 3 || version[1] < 6 {
		return interpreter{}, fault.New(fault.Invalid,
			i18n.M("Python '{{.Name}}' is version {{.Major}}.{{.Minor}}, but actions require 3.6 or later.", "Name", name, "Major", version[0], "Minor", version[1]),
			i18n.M("Restart the endpoint with '--python PATH'."))
	}
	return p, nil
}
