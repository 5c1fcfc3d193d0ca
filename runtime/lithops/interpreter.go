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

// interpreterDeadline is how long a Python may take to say where its Lithops is. It starts in 20 ms, or in seconds on
// a slow network drive.
const interpreterDeadline = 20 * time.Second

// locateScript asks a Python for its version and its Lithops, without importing it. The working directory does not
// count: a folder that happens to be called lithops is not an installation.
const locateScript = `
import sys
sys.path[:] = [p for p in sys.path if p]
found = None
try:
    import importlib.util
    spec = importlib.util.find_spec("lithops")
    if spec is not None and spec.origin:
        found = spec.origin
except Exception:
    found = None
import json
sys.stdout.write("\n" + json.dumps({"python": "%d.%d" % sys.version_info[:2], "executable": sys.executable, "lithops": found}))
`

// inspect finds Lithops for one interpreter. errNoLithops comes with the interpreter's version filled in.
func (o FindOptions) inspect(ctx context.Context, python string) (Install, error) {
	if in, ok, err := o.fromFiles(python); ok {
		return in, err
	}
	response, err := o.query(ctx, python)
	if err != nil {
		return Install{}, err
	}
	in := Install{Python: response.Python, Interpreter: python}
	if filepath.IsAbs(response.Executable) {
		in.Interpreter = response.Executable
	}
	if response.Lithops == "" {
		return in, errNoLithops
	}
	in.Dir = filepath.Dir(response.Lithops)
	in.Version, err = readVersion(in.Dir)
	return in, err
}

type interpreterInfo struct {
	Python     string `json:"python"`
	Executable string `json:"executable"`
	Lithops    string `json:"lithops"`
}

func (o FindOptions) query(ctx context.Context, python string) (interpreterInfo, error) {
	limited, cancel := context.WithTimeout(ctx, interpreterDeadline)
	defer cancel()
	cmd := exec.CommandContext(limited, python, "-c", locateScript)
	cmd.Dir, cmd.Env = o.WorkDir, o.Environ
	cmd.WaitDelay = time.Second // a shim's child may hold the pipe
	var out, stderr boundedBuffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	err := cmd.Run()
	if ctx.Err() != nil {
		return interpreterInfo{}, ctx.Err()
	}
	var response interpreterInfo
	line := out.kept[bytes.LastIndexByte(out.kept, '\n')+1:] // what sitecustomize prints comes before
	if err == nil {
		if json.Unmarshal(line, &response) == nil && pythonVersion.MatchString(response.Python) {
			return response, nil
		}
		err = errors.New("it did not print the expected output")
	}
	if limited.Err() != nil {
		err = limited.Err()
	}
	return response, fault.New(fault.Invalid,
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
