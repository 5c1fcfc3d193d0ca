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

// interpreter is a Python of this machine.
type interpreter struct {
	path     string // what a launcher such as a pyenv shim ends up with
	userBase string // site.getuserbase()
}

// interpreters remembers what Pythons said about themselves.
type interpreters struct {
	mu    sync.Mutex
	asked map[string]*question
}

// question is put to one Python by whoever comes first. The fields below done are for those who have seen it closed.
type question struct {
	done   chan struct{}
	answer interpreter
	err    error
}

const askPython = `import json, site, sys; print(json.dumps([sys.executable, site.getuserbase(), list(sys.version_info[:2])]))`

// timeToAnswer is how long a Python may take to tell about itself.
const timeToAnswer = 20 * time.Second

// find asks the Python of that name or path, once, where it really is. One that does not answer holds up nobody who asks
// for another.
func (f *interpreters) find(ctx context.Context, name string) (interpreter, error) {
	for {
		f.mu.Lock()
		q, asked := f.asked[name]
		if !asked {
			q = &question{done: make(chan struct{})}
			if f.asked == nil {
				f.asked = map[string]*question{}
			}
			f.asked[name] = q
		}
		f.mu.Unlock()
		if !asked {
			q.answer, q.err = ask(ctx, name)
			if q.err != nil { // it may be mended by the next time
				f.mu.Lock()
				delete(f.asked, name)
				f.mu.Unlock()
			}
			close(q.done)
		}
		select {
		case <-q.done:
		case <-ctx.Done():
			return interpreter{}, ctx.Err()
		}
		if !asked || !errors.Is(q.err, context.Canceled) { // else who asked went away
			return q.answer, q.err
		}
	}
}

func ask(ctx context.Context, name string) (interpreter, error) {
	timed, cancel := context.WithTimeout(ctx, timeToAnswer)
	defer cancel()
	cmd := exec.CommandContext(timed, name, "-c", askPython)
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
	var said [3]json.RawMessage
	var p interpreter
	var version [2]int
	if err := errors.Join(json.Unmarshal(out, &said), json.Unmarshal(said[0], &p.path),
		json.Unmarshal(said[1], &p.userBase), json.Unmarshal(said[2], &version)); err != nil || p.path == "" {
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
