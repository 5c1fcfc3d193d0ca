package images

import (
	"strings"
	"testing"

	"github.com/distribution/reference"
	"github.com/docker/docker/pkg/jsonmessage"

	"fn-runtime/runtime/fault"
)

// The messages are from real engines: Docker 20 and 28, both builders, and podman.
func TestBuildFault(t *testing.T) {
	for _, it := range []struct {
		message, step string
		lines         []string
		kind          fault.Kind
		texts         []string
	}{
		{"The command '/bin/sh -c make' returned a non-zero code: 2", "Step 2/3 : RUN make", []string{"cc: error"}, fault.Failed, []string{"exit code 2", "Step 2/3 : RUN make"}},
		{"executor failed running [/bin/sh -c make]: exit code: 3", "[2/3] RUN make", nil, fault.Failed, []string{"exit code 3"}},
		{`process "/bin/sh -c make" did not complete successfully: exit code: 4`, "[2/3] RUN make", nil, fault.Failed, []string{"exit code 4"}},
		{`building at STEP "RUN make": while running runtime: exit status 5`, "STEP 2/3: RUN make", nil, fault.Failed, []string{"exit code 5"}},
		{"write /x: no space left on device", "Step 2/3 : COPY . .", nil, fault.Failed, []string{"disk"}},
		{"The command 'pip' returned a non-zero code: 1", "RUN pip", []string{"OSError: [Errno 28] No space left on device"}, fault.Failed, []string{"disk"}},
		{"pull access denied for no/such, repository does not exist or may require 'docker login'", "Step 1/3 : FROM no/such", nil, fault.NotFound, []string{"base image", "no/such"}},
		{"manifest for python:9 not found: manifest unknown: manifest unknown", "Step 1/3 : FROM python:9", nil, fault.NotFound, []string{"python:9"}},
		{"failed to solve: docker.io/library/python:9: not found", "[internal] load metadata for docker.io/library/python:9", nil, fault.NotFound, []string{"python:9"}},
		{"Get \"https://registry-1.docker.io/v2/\": dial tcp: lookup registry-1.docker.io: no such host", "", nil, fault.Unavailable, []string{"cannot be reached"}},
		{"toomanyrequests: You have reached your pull rate limit.", "FROM x", nil, fault.Throttled, []string{"rate limit"}},
		{"dockerfile parse error line 2: unknown instruction: RUNN", "", nil, fault.Invalid, []string{"RUNN"}},
		{"COPY failed: file not found in build context or excluded by .dockerignore: stat x: file does not exist", "Step 2/3 : COPY x /", nil, fault.Invalid, []string{"build context"}},
		{"failed to compute cache key: \"/x\" not found: not found", "[2/2] COPY x /", nil, fault.Invalid, []string{"build context"}},
		{"image with reference a was found but does not match the specified platform: wanted linux/arm64, actual: linux/amd64", "FROM a", nil, fault.NotFound, []string{"platform"}},
		{"something\x1b[2J new", "", nil, fault.Failed, []string{"something new"}},
	} {
		err := buildFault(&jsonmessage.JSONError{Message: it.message}, it.step, it.lines)
		if fault.KindOf(err) != it.kind {
			t.Errorf("%q is %q instead of %q", it.message, fault.KindOf(err), it.kind)
		}
		for _, w := range it.texts {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%q is not in %q", w, err)
			}
		}
		if strings.Contains(err.Error(), "\x1b") || strings.Contains(err.Error(), "{{") || strings.HasSuffix(err.Error(), "..") {
			t.Errorf("%q", err)
		}
	}
}

func TestPushFault(t *testing.T) {
	ref, _ := reference.ParseNormalizedNamed("docker.io/me/img:1")
	for message, kind := range map[string]fault.Kind{
		"denied: requested access to the resource is denied":                       fault.Denied,
		"unauthorized: authentication required":                                    fault.Denied,
		"no basic auth credentials":                                                fault.Denied,
		"toomanyrequests: slow down":                                               fault.Throttled,
		"error parsing HTTP 429 response body: unexpected end of JSON input: \"\"": fault.Throttled,
		"error parsing HTTP 403 response body: no error details found: \"{}\"":     fault.Denied,
		"denied: You have exceeded your storage quota":                             fault.Denied,
		"write: no space left on device":                                           fault.Failed,
		"received unexpected HTTP status: 500 Internal Server Error":               fault.Unavailable,
		"EOF":                                fault.Unavailable,
		"read: connection reset by peer":     fault.Unavailable,
		"name unknown: repository not found": fault.Invalid,
		"Get \"https://x/v2/\": http: server gave HTTP response to HTTPS client":                fault.Unavailable,
		"Get \"https://x/v2/\": x509: certificate signed by unknown authority":                  fault.Unavailable,
		"unable to decode token response: invalid character '<' looking for beginning of value": fault.Unavailable,
		"dial tcp 127.0.0.1:40123: connect: connection refused":                                 fault.Unavailable,
		"Put \"http://127.0.0.1:40123/v2/a/blobs/403401aa?digest=x\": unexpected EOF":           fault.Unavailable,
	} {
		f := pushFault(&jsonmessage.JSONError{Message: message}, ref, "docker.io", "me")
		if f.Kind != kind || f.Recovery.IsZero() {
			t.Errorf("%q is %q instead of %q", message, f.Kind, kind)
		}
		for _, word := range []string{"dial tcp", "EOF", "JSON", "invalid character"} {
			if strings.Contains(f.Error(), word) {
				t.Errorf("%q contains a technical message: %s", message, f)
			}
		}
	}
	f := pushFault(&jsonmessage.JSONError{Message: "unauthorized"}, ref, "us.icr.io", "me")
	if !strings.Contains(f.Error(), "us.icr.io") || !strings.Contains(f.Error(), "account me") || !strings.Contains(f.Recovery.String(), "docker login us.icr.io") {
		t.Errorf("%v %v", f, f.Recovery)
	}
}
