package connect

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fn-runtime/runtime/fault"
)

// The token of a session is sent only to hosts of its service. Tenant names in the domains of IBM Cloud and hosts of
// other services do not receive it.
func TestTokenIsSentToItsServiceOnly(t *testing.T) {
	for endpoint, want := range map[string]ibmService{
		"https://us-south.functions.cloud.ibm.com":                               cloudFunctions,
		"https://US-SOUTH.functions.cloud.ibm.com:443":                           cloudFunctions,
		"https://private.eu-de.functions.cloud.ibm.com":                          cloudFunctions,
		"https://eu-de.functions.private.cloud.ibm.com":                          cloudFunctions,
		"https://s3.us-south.cloud-object-storage.appdomain.cloud":               objectStorage,
		"https://s3.private.us-south.cloud-object-storage.appdomain.cloud":       objectStorage,
		"https://s3.direct.us-south.cloud-object-storage.appdomain.cloud":        objectStorage,
		"https://iam.cloud.ibm.com":                                              identity,
		"https://private.us-south.iam.cloud.ibm.com":                             identity,
		"https://api.us-south.codeengine.cloud.ibm.com":                          codeEngine,
		"https://api.private.us-south.codeengine.cloud.ibm.com":                  codeEngine,
		"https://resource-controller.cloud.ibm.com":                              resourceController,
		"https://x.codeengine.appdomain.cloud":                                   "",
		"https://app.abc123.us-south.codeengine.appdomain.cloud":                 "",
		"https://x.us-south.containers.appdomain.cloud":                          "",
		"https://x.functions.appdomain.cloud":                                    "",
		"https://a.b.functions.cloud.ibm.com":                                    "",
		"https://.functions.cloud.ibm.com":                                       "",
		"https://functions.cloud.ibm.com":                                        "",
		"https://xfunctions.cloud.ibm.com":                                       "",
		"https://us-south.functions.cloud.ibm.com.evil.example":                  "",
		"https://us-south.functions.cloud.ibm.com:8443":                          "",
		"https://user@us-south.functions.cloud.ibm.com":                          "",
		"http://us-south.functions.cloud.ibm.com":                                "",
		"https://evil.example/us-south.functions.cloud.ibm.com":                  "",
		"https://evil.example#.functions.cloud.ibm.com":                          "",
		"https://bucket.s3.us-south.cloud-object-storage.appdomain.cloud":        "",
		"https://s3.a.b.cloud-object-storage.appdomain.cloud":                    "",
		"https://s3.evil.example/.cloud-object-storage.appdomain.cloud":          "",
		"https://s3.us-south.cloud-object-storage.appdomain.cloud.evil.example/": "",
		"": "", "%": "",
	} {
		for s := range services {
			if got := s.has(endpoint); got != (s == want) {
				t.Errorf("%s as %s: %v, want %v", endpoint, s, got, s == want)
			}
		}
		if got := isIBMCloud(endpoint); got != (want != "") {
			t.Errorf("%s of IBM: %v, want %v", endpoint, got, want != "")
		}
	}
}

// Open warns if the session token is used with a configuration in the working directory. It does not warn about the
// configuration in the home directory.
func TestConfigurationInWorkingDirectoryIsReported(t *testing.T) {
	for name, want := range map[string]bool{"nearby": true, "own": false} {
		t.Run(name, func(t *testing.T) {
			o := newOptions(t, "3.7.0", "")
			e := &warningRecorder{}
			o.Host.Observer, o.Host.Session, o.UserKey = e, session(false), "abcd"
			o.Host.WorkDir = t.TempDir()
			dir, file := o.Host.WorkDir, ".lithops_config"
			if !want {
				dir, file = o.Host.Home, ".lithops/config"
			}
			path := filepath.Join(dir, file)
			text := strings.Replace(ibm("", ""), "storage: minio", "storage: ibm_cos\nibm_cos:\n  region: us-south\n  storage_bucket: b", 1)
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
				t.Fatal(err)
			}
			if _, err := Open(t.Context(), o); fault.KindOf(err) != "" {
				t.Fatal(err)
			}
			reported := slices.ContainsFunc(e.warnings, func(w string) bool {
				return strings.Contains(w, "session token") && strings.Contains(w, ".lithops_config")
			})
			if reported != want {
				t.Errorf("warnings %q, want a warning: %v", e.warnings, want)
			}
		})
	}
}
