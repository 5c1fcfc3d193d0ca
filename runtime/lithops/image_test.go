package lithops

import (
	"errors"
	"strings"
	"testing"

	"github.com/distribution/reference"

	"fn-runtime/runtime/fault"
)

func TestImage(t *testing.T) {
	for _, tc := range [][4]string{
		{"me/img:1", "", "3.8.0", "docker.io/me/img:1"},
		{"me/img:1", "", "2.8.0", "me/img:1"},
		{"me/img", "us.icr.io", "2.9.0", "us.icr.io/me/img"},
		{"us.icr.io/img", "us.icr.io", "2.9.0", "us.icr.io/img"},
		{"img", "", "3.8.0", "img"}, {"default", "", "3.8.0", "default"}, {"a/b/c", "", "3.8.0", "a/b/c"},
	} {
		if got := Image(tc[0], tc[1], tc[2]); got != tc[3] {
			t.Errorf("Image(%q, %q, %q) = %q", tc[0], tc[1], tc[2], got)
		}
	}
}

func TestDefaultImageErrorListsAvailablePythons(t *testing.T) {
	_, err := DefaultImage(IBMCF, "3.8.0", "3.13")
	var f *fault.Fault
	if !errors.As(err, &f) || !strings.Contains(f.Error(), "3.10, 3.11, 3.12") || !strings.Contains(f.Recovery.String(), "'ibmcloud fn-runtime init'") {
		t.Errorf("%v / %v", err, f.Recovery)
	}
}

func TestValidateImage(t *testing.T) {
	for _, good := range []string{"default", "me/img", "me/img:V1", "docker.io/me/my_img:0.1", "localhost:5000/a/b/c:x", "a"} {
		if err := ValidateImage(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for bad, better := range map[string]string{
		"Me/Img:V1":              "me/img:V1",
		"me/my img":              "me/my-img",
		"me/img: 1":              "me/img:1",
		"me/img:":                "me/img",
		"/me/img":                "me/img",
		"https://me/img":         "",
		"":                       "",
		"me/img@sha256:abc":      "me/img",
		"é":                      "",
		strings.Repeat("a", 300): "",
		"me/\x1b[31mimg":         "",
		"a::b":                   "",
	} {
		err := ValidateImage(bad)
		var f *fault.Fault
		if !errors.As(err, &f) || f.Kind != fault.Usage {
			t.Errorf("%q: got %v, want a usage error", bad, err)
			continue
		}
		if bad == "Me/Img:V1" && !strings.Contains(f.Reason.String(), "uppercase letters") {
			t.Errorf("%q: %v", bad, f.Reason)
		}
		if shown := strings.Contains(f.Recovery.String(), "'"+better+"'"); better != "" && !shown {
			t.Errorf("%q: want %q, got: %v", bad, better, f.Recovery)
		}
	}
}

func TestLimits(t *testing.T) {
	for _, tc := range []struct {
		backend Backend
		memory  int
		ok      bool
	}{{IBMCF, 128, true}, {IBMCF, 2048, true}, {IBMCF, 127, false}, {IBMCF, 2049, false}, {IBMCF, 0, false}, {OpenWhisk, 4096, true}, {OpenWhisk, -1, false}, {OpenWhisk, 1 << 21, false}} {
		if err := LimitsOf(tc.backend).CheckMemory(tc.memory); (err == nil) != tc.ok {
			t.Errorf("%+v: %v", tc, err)
		}
	}
	for _, tc := range []struct {
		backend Backend
		timeout int
		ok      bool
	}{{IBMCF, 1, true}, {IBMCF, 600, true}, {IBMCF, 601, false}, {IBMCF, 0, false}, {OpenWhisk, 3600, true}, {OpenWhisk, 0, false}, {OpenWhisk, 90000, false}} {
		if err := LimitsOf(tc.backend).CheckTimeout(tc.timeout); (err == nil) != tc.ok {
			t.Errorf("%+v: %v", tc, err)
		}
	}
	if DefaultTimeout(OpenWhisk, "3.8.0") != 300 || DefaultTimeout(IBMCF, "2.2.0") != 600 || DefaultMemory(IBMCF, "3.8.0") != 256 {
		t.Error("wrong default memory or timeout")
	}
}

func TestJobTimeProblem(t *testing.T) {
	for timeout, want := range map[int]string{5: "fatal", 1: "fatal", 6: "leaves a job 1 s", 9: "leaves a job 4 s", 10: "", 600: ""} {
		problem, fatal := JobTimeProblem(timeout)
		got := problem.String()
		if fatal != (want == "fatal") || !fatal && !strings.Contains(got, want) || want == "" && got != "" {
			t.Errorf("%d s: %q, fatal %v; want %q", timeout, got, fatal, want)
		}
	}
}

func FuzzImage(f *testing.F) {
	for _, s := range []string{"me/img:1", "Me/Img", "a b", "x@sha256:" + strings.Repeat("a", 64), "localhost:5000/a", "::", "//"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if better := correctedImage(name); better != "" && ValidateImage(better) != nil {
			t.Errorf("the correction of %q is %q, which is invalid", name, better)
		}
		if ValidateImage(name) != nil {
			return
		}
		if _, err := reference.ParseNormalizedNamed(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
		c := Contract{Backend: OpenWhisk, Version: "3.8.0", UserKey: "abcde", Namespace: "guest"}
		if err := c.ValidateNames(c.Action(Image(name, "", "3.8.0"), 2048), name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	})
}

// docker_server is prepended to a name unchanged, both by the client and by this program.
func TestFullImageRejectsInvalidDockerServer(t *testing.T) {
	for server, want := range map[string]string{
		"us.icr.io": "us.icr.io/me/img:1", "''": "me/img:1", "index.docker.io/v1/": "", "https://us.icr.io/v1/": "", "docker.io/": "", "https://us.icr.io": "",
		"docker.io/me": "", "us.icr.io/group": "us.icr.io/group/me/img:1",
	} {
		c := mustLoad(t, "3.8.0", "openwhisk: {docker_server: "+server+"}\n")
		compute, err := c.Compute(OpenWhisk, Install{Version: "3.8.0"})
		if err != nil {
			t.Fatal(err)
		}
		got, err := FullImage("me/img:1", compute.DockerServer, "3.8.0")
		if got != want || (err == nil) != (want != "") || err != nil && !strings.Contains(err.Error(), "docker_server") {
			t.Errorf("%s: %q, %v, want %q", server, got, err, want)
		}
	}
}
