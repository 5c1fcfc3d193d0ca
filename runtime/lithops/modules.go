package lithops

import (
	"bytes"
	"context"
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"time"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
)

// RequiredModules returns the import names of the modules that a Lithops worker of this version needs to start and to
// access its storage. The list was determined by importing the entry_point.py of each release as __main__, each time
// with one module missing.
func RequiredModules(version, storageBackend string) []string {
	r := parseRelease(version)
	modules := []string{"pika", "requests", "six"}
	if r.before(2, 5, 2) { // later releases do not need it
		modules = append(modules, "numpy")
	}
	if !r.before(2, 2, 15) {
		modules = append(modules, "ps_mem", "tblib")
	}
	if !r.before(2, 3, 2) {
		modules = append(modules, "cloudpickle")
	}
	if !r.before(3, 1, 2) {
		modules = append(modules, "psutil")
	}
	modules = append(modules, storageModules(storageBackend)...)
	if storageBackend == IBMCOS && !r.before(3, 0, 0) {
		modules = append(modules, "ibm_cloud_sdk_core", "yaml")
	}
	return modules
}

func storageModules(backend string) []string {
	switch backend {
	case IBMCOS:
		return []string{"ibm_boto3", "ibm_botocore"}
	case AWSS3, Minio, ceph:
		return []string{"boto3", "botocore"}
	}
	return nil
}

// missingScript prints those of the modules in its arguments that Python does not find. It does not import them.
// Modules in the working directory count, as they do for a program in that directory.
const missingScript = `
import importlib.util, json, sys
sys.stdout.write("\n" + json.dumps([m for m in sys.argv[1:] if importlib.util.find_spec(m) is None]))
`

// packages maps modules to the packages that contain them, for modules that are not dependencies of Lithops.
var packages = map[string]string{
	"boto3": "boto3", "botocore": "boto3", "flask": "flask",
	"ibm_boto3": `"lithops[ibm]"`, "ibm_botocore": `"lithops[ibm]"`, "ibm_code_engine_sdk": `"lithops[ibm]"`, "ibm_cloud_sdk_core": `"lithops[ibm]"`,
}

// CheckModules returns a fault.NotFound error if the Python of an installation lacks modules that the client needs to
// access a service and a storage backend. If worker is set, it also checks the modules for running calls in that
// Python. It returns nil if the Python is unknown or does not work.
func (i Install) CheckModules(ctx context.Context, compute Backend, storage string, worker bool) error {
	modules := storageModules(storage)
	if compute == CodeEngine {
		modules = append(modules, "ibm_code_engine_sdk", "ibm_cloud_sdk_core")
		if worker {
			modules = append(modules, "flask")
		}
	}
	if i.Interpreter == "" || len(modules) == 0 {
		return nil
	}
	limited, cancel := context.WithTimeout(ctx, interpreterDeadline)
	defer cancel()
	cmd := exec.CommandContext(limited, i.Interpreter, append([]string{"-c", missingScript}, modules...)...)
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	var missing, needed []string
	if err != nil || json.Unmarshal(out[bytes.LastIndexByte(out, '\n')+1:], &missing) != nil || len(missing) == 0 {
		return ctx.Err()
	}
	for _, m := range missing {
		needed = append(needed, packages[m])
	}
	slices.Sort(needed)
	return fault.New(fault.NotFound,
		i18n.M("{{.Python}} has Lithops, but lacks the modules that Lithops needs to access this service: {{.Modules}}.", "Python", i.Interpreter, "Modules", strings.Join(missing, ", ")),
		i18n.M("Install them with '{{.Python}} -m pip install {{.Packages}}'.", "Python", i.Interpreter, "Packages", strings.Join(slices.Compact(needed), " ")))
}
