//go:build !windows

package lithops

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"fn-runtime/runtime/fault"
)

// What the client would stop at with a traceback is said beforehand, with the packages that bring it. A Python that does not
// answer is left to show itself what is wrong.
func TestCheckModules(t *testing.T) {
	for name, tc := range map[string]struct {
		python string // script
		worker bool
		want   []string // in the fault; none: there is no fault
	}{
		"all are there":       {"echo 'from sitecustomize'; printf '[]'", false, nil},
		"some are not":        {`printf '["boto3", "ibm_code_engine_sdk", "ibm_cloud_sdk_core"]'`, false, []string{"boto3, ibm_code_engine_sdk, ibm_cloud_sdk_core", `pip install "lithops[ibm]" boto3'`}},
		"that of the client":  {`test "$*" = "-c $2 boto3 botocore ibm_code_engine_sdk ibm_cloud_sdk_core" && printf '["boto3"]'`, false, []string{"pip install boto3'"}},
		"that of the worker":  {`test "$7" = flask && printf '["flask"]'`, true, []string{"pip install flask'"}},
		"no answer of Python": {"exit 3", false, nil},
		"another answer":      {"echo hello", false, nil},
	} {
		t.Run(name, func(t *testing.T) {
			python := filepath.Join(t.TempDir(), "python")
			writeFile(t, python, "#!/bin/sh\n"+tc.python+"\n", 0o755)
			err := Install{Interpreter: python}.CheckModules(t.Context(), CodeEngine, Minio, tc.worker)
			var f *fault.Fault
			if errors.As(err, &f) != (tc.want != nil) || err != nil && f == nil {
				t.Fatalf("got %v, want %q", err, tc.want)
			}
			for _, words := range tc.want {
				if said := f.Error() + " " + f.Recovery.String(); !strings.Contains(said, words) {
					t.Errorf("%q does not say %q", said, words)
				}
			}
		})
	}
	if err := (Install{}).CheckModules(t.Context(), CodeEngine, Minio, true); err != nil {
		t.Errorf("without a Python: %v", err)
	}
}
