package openwhisk

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
)

// TestReadLimits checks a recorded response of Apache OpenWhisk, responses of other servers, and malformed responses.
func TestReadLimits(t *testing.T) {
	known := lithops.LimitsOf(lithops.OpenWhisk)
	for name, c := range map[string]struct {
		status   int
		response string
		want     lithops.Limits
		kind     fault.Kind
	}{
		"Apache OpenWhisk": {200, `{"concurrentInvocations": 30, "firesPerMinute": 60, "invocationsPerMinute": 60, "maxActionConcurrency": 1, "maxActionInstances": 30,
			"maxActionLogs": 10, "maxActionMemory": 512, "maxActionTimeout": 300000, "maxParameterSize": "1048576 B", "minActionConcurrency": 1,
			"minActionLogs": 0, "minActionMemory": 128, "minActionTimeout": 100}`, lithops.Limits{MinMemoryMB: 128, MaxMemoryMB: 512, MaxTimeoutS: 300}, ""},
		"older release with rates only": {200, `{"concurrentInvocations": 30, "firesPerMinute": 60}`, known, ""},
		"no limits resource":            {404, `{"error":"The requested resource does not exist.","code":"x"}`, known, fault.NotFound},
		"denied":                        {403, `{"error":"The supplied authentication is not authorized to access this resource.","code":"x"}`, known, fault.Denied},
		"negative number":               {200, `{"maxActionMemory": -1}`, known, fault.Unavailable},
		"not JSON":                      {200, `<html>`, known, fault.Unavailable},
	} {
		requests := 0
		compute := NewCompute(serve(t, func(w http.ResponseWriter, r *http.Request) {
			if requests++; !strings.HasSuffix(r.URL.Path, "/limits") {
				t.Errorf("%s: unexpected request %s", name, r.URL)
			}
			w.WriteHeader(c.status)
			_, _ = io.WriteString(w, c.response)
		}), ComputeOptions{Contract: lithops.Contract{Backend: lithops.OpenWhisk, Version: "3.7.0", UserKey: "abcde", Namespace: ns}})
		for range 2 {
			if got, err := compute.ReadLimits(t.Context()); got != c.want || fault.KindOf(err) != c.kind {
				t.Errorf("%s: got %+v, %v, want %+v, %q", name, got, err, c.want, c.kind)
			}
		}
		if requests != 1 {
			t.Errorf("%s: %d requests, want 1", name, requests)
		}
	}
}
