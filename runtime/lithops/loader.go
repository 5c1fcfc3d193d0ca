package lithops

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops/pyyaml"
	"fn-runtime/runtime/text"
)

// loaderScript makes Lithops load a configuration like an executor does. It prints the error if Lithops rejects it.
const loaderScript = `
import json, sys
kind, path, backend, parent = sys.argv[1:5]
sys.path[:] = [parent] + [p for p in sys.path if p]
error = ""
try:
    import lithops.config as config
    if kind == "json":
        with open(path) as f:
            data = json.load(f)
    else:
        data = config.load_yaml_config(path)
    if data and backend:
        data["lithops"] = data.get("lithops") or {}
        data["lithops"]["backend"] = backend
    if data:
        config.default_config(config_data=data, config_overwrite={"backend": {}})
except Exception as e:
    error = ("" if type(e) is Exception else type(e).__name__ + ": ") + str(e)
sys.stdout.write("\n" + json.dumps({"rejected": error}))
`

// CheckWithClient makes the installed Lithops load the configuration, because only Lithops applies all of its rules. If
// it rejects the configuration, CheckWithClient returns an error with its message, without the values of secret keys.
// backend is the backend that the user selected instead of the configured one, or "". CheckWithClient returns nil if
// there is no configuration or no Python.
func (c *Config) CheckWithClient(ctx context.Context, install Install, backend string, environ []string) error {
	if !c.exists() || install.Interpreter == "" {
		return nil
	}
	dir, err := os.MkdirTemp("", "fn-runtime-") // the client creates directories in the temporary directory
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	file, kind := filepath.Join(dir, "config"), "yaml"
	if c.source == environmentSource {
		kind = "json"
	}
	if err := os.WriteFile(file, c.data, 0o600); err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, interpreterDeadline)
	defer cancel()
	cmd := exec.CommandContext(limited, install.Interpreter, "-B", "-c", loaderScript, kind, file, backend, filepath.Dir(install.Dir))
	cmd.Dir, cmd.Env = dir, append(slices.Clip(environ), "TMPDIR="+dir, "TEMP="+dir, "TMP="+dir)
	cmd.WaitDelay = time.Second
	var out, stderr boundedBuffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	err = cmd.Run()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var result struct{ Rejected *string }
	if err == nil && (json.Unmarshal(out.kept[bytes.LastIndexByte(out.kept, '\n')+1:], &result) != nil || result.Rejected == nil) {
		err = errors.New("unexpected output from Python")
	}
	if err != nil {
		return fault.New(fault.Invalid, i18n.M("Lithops {{.Version}} could not check the configuration: {{.Error}}.", "Version", install.Version, "Error", err),
			i18n.M("Specify another interpreter with '--python'.")).With(lastLines(stderr.kept, 3)...).Because(err)
	}
	if *result.Rejected == "" {
		return nil
	}
	if strings.HasPrefix(*result.Rejected, "ModuleNotFoundError:") {
		return fault.New(fault.Invalid,
			i18n.M("The Lithops client {{.Version}} cannot use the configuration {{.Source}}: {{.What}}", "Version", install.Version, "Source", c.source,
				"What", text.Line(*result.Rejected, 500)),
			i18n.M("Install the missing module; for IBM Cloud: '{{.Python}} -m pip install lithops[ibm]'.", "Python", install.Interpreter))
	}
	message := c.redact(strings.ReplaceAll(*result.Rejected, file, c.source))
	return fault.New(fault.Invalid,
		i18n.M("The Lithops client {{.Version}} rejects the configuration {{.Source}}: {{.What}}", "Version", install.Version, "Source", c.source,
			"What", text.Line(message, 500)),
		i18n.M("Fix the configuration; 'ibmcloud fn-runtime lithops-config -b local' prints a working one."))
}

var secretKey = text.NewPattern(`(?i)key|secret|token|password`)

// redact replaces the values of secret keys in a message of the client.
func (c *Config) redact(message string) string {
	var walk func(n *pyyaml.Node, secret bool)
	walk = func(n *pyyaml.Node, secret bool) {
		if secret && n.Kind == pyyaml.Text && len(n.Text) > 3 {
			message = strings.ReplaceAll(message, n.Text, "********")
		}
		for key, v := range n.Values {
			walk(v, secret || secretKey.MatchString(key))
		}
		for _, v := range n.Items {
			walk(v, secret)
		}
	}
	walk(c.root, false)
	return message
}
