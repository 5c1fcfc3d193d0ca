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
	known map[string]interpreter
}

const askPython = `import json, site, sys; print(json.dumps([sys.executable, site.getuserbase(), list(sys.version_info[:2])]))`

// find asks the Python of that name or path, once, where it really is.
func (f *interpreters) find(ctx context.Context, name string) (interpreter, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if p, ok := f.known[name]; ok {
		return p, nil
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, "-c", askPython)
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	if err != nil {
		f := fault.New(fault.NotFound, i18n.M("Python '{{.Name}}' does not run.", "Name", name),
			i18n.M("Install Python 3.6 or later, or start the endpoint again with '--python PATH'.")).Because(err)
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			f.With(string(bytes.TrimSpace(exit.Stderr)))
		}
		return interpreter{}, f
	}
	var said [3]json.RawMessage
	var p interpreter
	var version [2]int
	if err := errors.Join(json.Unmarshal(out, &said), json.Unmarshal(said[0], &p.path),
		json.Unmarshal(said[1], &p.userBase), json.Unmarshal(said[2], &version)); err != nil || p.path == "" {
		return interpreter{}, fault.New(fault.Invalid, i18n.M("'{{.Name}}' is not a Python.", "Name", name),
			i18n.M("Start the endpoint again with '--python PATH'.")).Because(err)
	}
	if version[0] != 3 || version[1] < 6 {
		return interpreter{}, fault.New(fault.Invalid,
			i18n.M("Python '{{.Name}}' is version {{.Major}}.{{.Minor}}, and actions need 3.6 or later.", "Name", name, "Major", version[0], "Minor", version[1]),
			i18n.M("Start the endpoint again with '--python PATH'."))
	}
	if f.known == nil {
		f.known = map[string]interpreter{}
	}
	f.known[name] = p
	return p, nil
}
