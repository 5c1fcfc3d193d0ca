//go:build !windows

package lithops

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"fn-runtime/runtime/fault"
)

// CheckModules reports missing modules, on which the client would fail with a traceback, and the packages that contain
// them. It ignores a Python that does not work.
func TestCheckModules(t *testing.T) {
	for name, tc := range map[string]struct {
		python string // script
		worker bool
		want   []string // substrings of the fault; nil if there is no fault
	}{
		"all installed": {"echo 'from sitecustomize'; printf '[]'", false, nil},
		"some missing":  {`printf '["boto3", "ibm_code_engine_sdk", "ibm_cloud_sdk_core"]'`, false, []string{"boto3, ibm_code_engine_sdk, ibm_cloud_sdk_core", `pip install "lithops[ibm]" boto3'`}},
		"client only":   {`test "$*" = "-c $2 boto3 botocore ibm_code_engine_sdk ibm_cloud_sdk_core" && printf '["boto3"]'`, false, []string{"pip install boto3'"}},
		"with worker":   {`test "$7" = flask && printf '["flask"]'`, true, []string{"pip install flask'"}},
		"Python fails":  {"exit 3", false, nil},
		"other output":  {"echo hello", false, nil},
	} {
		t.Run(name, func(t *testing.T) {
			python := filepath.Join(t.TempDir(), "python")
			writeFile(t, python, "#!/bin/sh\n"+tc.python+"\n", 0o755)
			err := Install{Interpreter: python}.CheckModules(t.Context(), CodeEngine, Minio, tc.worker)
			var f *fault.Fault
			if errors.As(err, &f) != (tc.want != nil) || err != nil && f == nil {
				t.Fatalf("got %v, want %q", err, tc.want)
			}
			for _, substring := range tc.want {
				if message := f.Error() + " " + f.Recovery.String(); !strings.Contains(message, substring) {
					t.Errorf("%q does not contain %q", message, substring)
				}
			}
		})
	}
	if err := (Install{}).CheckModules(t.Context(), CodeEngine, Minio, true); err != nil {
		t.Errorf("without a Python: %v", err)
	}
}
