package lithops

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os/exec"
	"path/filepath"
	"time"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
)

// interpreterDeadline is the time limit for a Python to report its Lithops. Python starts in 20 ms, or in several
// seconds on a slow network drive.
const interpreterDeadline = 20 * time.Second

// locateScript makes a Python print its version and the location of its Lithops, without importing Lithops. It ignores
// the working directory: a directory that happens to be named lithops is not an installation.
const locateScript = `
import sys
sys.path[:] = [p for p in sys.path if p]
origin = None
try:
    import importlib.util
    spec = importlib.util.find_spec("lithops")
    if spec is not None and spec.origin:
        origin = spec.origin
except Exception:
    origin = None
import json
sys.stdout.write("\n" + json.dumps({"python": "%d.%d" % sys.version_info[:2], "executable": sys.executable, "lithops": origin}))
`

// inspect returns the Lithops of an interpreter. The Python version and the interpreter are also set if it returns
// errNoLithops.
func (o FindOptions) inspect(ctx context.Context, python string) (Install, error) {
	if in, ok, err := o.fromFiles(python); ok {
		return in, err
	}
	info, err := o.query(ctx, python)
	if err != nil {
		return Install{}, err
	}
	in := Install{Python: info.Python, Interpreter: python}
	if filepath.IsAbs(info.Executable) {
		in.Interpreter = info.Executable
	}
	if info.Lithops == "" {
		return in, errNoLithops
	}
	in.Dir = filepath.Dir(info.Lithops)
	in.Version, err = readVersion(in.Dir)
	return in, err
}

// scriptOutput is the output of locateScript.
type scriptOutput struct {
	Python     string `json:"python"`
	Executable string `json:"executable"`
	Lithops    string `json:"lithops"`
}

// query runs locateScript with an interpreter.
func (o FindOptions) query(ctx context.Context, python string) (scriptOutput, error) {
	limited, cancel := context.WithTimeout(ctx, interpreterDeadline)
	defer cancel()
	cmd := exec.CommandContext(limited, python, "-c", locateScript)
	cmd.Dir, cmd.Env = o.WorkDir, o.Environ
	cmd.WaitDelay = time.Second // the child of a shim may keep the pipe open
	var out, stderr boundedBuffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	err := cmd.Run()
	if ctx.Err() != nil {
		return scriptOutput{}, ctx.Err()
	}
	var info scriptOutput
	line := out.kept[bytes.LastIndexByte(out.kept, '\n')+1:] // earlier lines may be output of sitecustomize
	if err == nil {
		if json.Unmarshal(line, &info) == nil && pythonVersion.MatchString(info.Python) {
			return info, nil
		}
		err = errors.New("it did not print the expected output")
	}
	if limited.Err() != nil {
		err = limited.Err()
	}
	return info, fault.New(fault.Invalid,
		i18n.M("The Python interpreter {{.Path}} does not work: {{.Error}}.", "Path", python, "Error", err),
		i18n.M("Specify another interpreter with '--python'.")).With(lastLines(stderr.kept, 3)...).Because(errors.Join(errPythonFailed, err))
}

// boundedBuffer keeps the first 64 KiB and drops the rest.
type boundedBuffer struct{ kept []byte }

func (b *boundedBuffer) Write(p []byte) (int, error) {
	b.kept = append(b.kept, p[:min(maxSmallFile-len(b.kept), len(p))]...)
	return len(p), nil
}

func lastLines(text []byte, n int) []string {
	var lines []string
	for l := range bytes.SplitSeq(bytes.TrimSpace(text), []byte("\n")) {
		if len(l) > 0 {
			lines = append(lines, string(l))
		}
	}
	return lines[max(0, len(lines)-n):]
}
