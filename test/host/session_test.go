package host

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// session returns a config.json as 'ibmcloud login' writes it.
func session(token string) map[string]any {
	return map[string]any{
		"APIEndpoint": "https://cloud.ibm.com", "CloudName": "bluemix", "CloudType": "public", "Region": "us-south", "RegionID": "us-south",
		"ConsoleEndpoint": "https://cloud.ibm.com", "IAMEndpoint": "https://iam.cloud.ibm.com", "IAMPrivateEndpoint": "https://private.us-south.iam.cloud.ibm.com",
		"IAMToken": "Bearer " + token, "IAMRefreshToken": "refresh-1",
		"Account":       map[string]any{"GUID": "account", "Name": "Account", "Owner": "me@example.com"},
		"ResourceGroup": map[string]any{"GUID": "group", "Name": "Default"},
	}
}

// fakeLithops returns a directory that looks like an installed Lithops but contains only its version.
func fakeLithops(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "lithops")
	for name, text := range map[string]string{"__init__.py": "", "worker/__init__.py": "", "version.py": "__version__ = \"3.8.0\"\n", "serverless/backends/ibm_cf/entry_point.py": "", "serverless/backends/openwhisk/entry_point.py": ""} {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// onCloud prepares IBM Cloud Functions with a configured store, and returns the arguments of a list.
func onCloud(t *testing.T, c *cli, cl *cloud) []string {
	t.Helper()
	config := filepath.Join(c.home, "lithops.yaml")
	yaml := "lithops:\n  storage: ibm_cos\nibm_cos:\n  storage_bucket: b\n  region: us-south\n  access_key_id: a\n  secret_access_key: s\n"
	if err := os.WriteFile(config, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	c.env = append(c.env, "HTTPS_PROXY="+cl.URL, "SSL_CERT_FILE="+cl.caFile, "NO_PROXY=")
	return []string{"list", "-b", "ibm_cf", "-c", config, "--namespace", "space", "--user-key", "abcd", "--lithops", fakeLithops(t), "--output", "json"}
}

// list runs list against the cloud as the host does.
func list(t *testing.T, c *cli, cl *cloud) result {
	t.Helper()
	return c.run("fn-runtime", onCloud(t, c, cl)...)
}

func TestLoggedInSessionIsUsed(t *testing.T) {
	cl := newCloud(t)
	token := jwt(time.Now().Add(time.Hour))
	a := list(t, install(t, session(token)), cl)
	if a.status != 0 || strings.TrimSpace(a.out) != "[]" {
		t.Fatalf("%+v\n%s", a, strings.Join(cl.requests, "\n"))
	}
	if !cl.tokens[token] || cl.refresh != 0 || len(cl.tokens) != 1 {
		t.Errorf("tokens %v, refreshes %d", len(cl.tokens), cl.refresh)
	}
	if !strings.Contains(strings.Join(cl.requests, "\n"), " us-south.functions.cloud.ibm.com/api/v1/namespaces") {
		t.Errorf("requests:\n%s", strings.Join(cl.requests, "\n"))
	}
}

func TestExpiredTokenIsRefreshedOnceAndUsed(t *testing.T) {
	cl := newCloud(t)
	c := install(t, session(jwt(time.Now().Add(-time.Hour))))
	a := list(t, c, cl)
	if a.status != 0 || strings.TrimSpace(a.out) != "[]" {
		t.Fatalf("%+v\n%s", a, strings.Join(cl.requests, "\n"))
	}
	if cl.refresh != 1 || len(cl.tokens) != 1 || !cl.tokens[cl.fresh()] {
		t.Errorf("refreshes %d, tokens %d, new one used %v", cl.refresh, len(cl.tokens), cl.tokens[cl.fresh()])
	}
	if data, _ := os.ReadFile(filepath.Join(c.conf, "config.json")); !strings.Contains(string(data), "refresh-2") {
		t.Error("the CLI would not know the new refresh token")
	}
}

func TestRefusedTokenIsRefreshedOnceAndUsed(t *testing.T) {
	cl := newCloud(t)
	cl.expired = true
	a := list(t, install(t, session(jwt(time.Now().Add(time.Hour)))), cl)
	if a.status != 0 || cl.refresh != 1 || !cl.tokens[cl.fresh()] {
		t.Errorf("%+v, refreshes %d\n%s", a, cl.refresh, strings.Join(cl.requests, "\n"))
	}
}

func TestNotLoggedIn(t *testing.T) {
	for name, config := range map[string]map[string]any{"never": nil, "logged out": {"Region": "us-south"}} {
		t.Run(name, func(t *testing.T) {
			c, cl := install(t, config), newCloud(t)
			args := onCloud(t, c, cl)
			for _, args := range [][]string{append(args[:len(args)-2], "-r", "us-south"), {"list", "--lithops", fakeLithops(t)}} {
				a := c.run("fn-runtime", args...)
				if a.status != 1 || !strings.HasPrefix(a.err, "FAILED\n") || !strings.Contains(a.err, "Log in with 'ibmcloud login'") || a.out != "" {
					t.Errorf("got %+v, want status 1, nothing but FAILED and 'ibmcloud login' as the remedy", a)
				}
			}
			if len(cl.requests) > 0 {
				t.Errorf("requests:\n%s", strings.Join(cl.requests, "\n"))
			}
		})
	}
}

// If a namespace must be created in a resource group, the group is found by its name with the session's token.
func TestResourceGroupByName(t *testing.T) {
	cl := newCloud(t)
	c := install(t, session(jwt(time.Now().Add(time.Hour))))
	args := append([]string{"deploy", "me/image:1"}, onCloud(t, c, cl)[1:]...)
	args = append(args, "--namespace", "other", "-g", "Nobody")
	a := c.run("fn-runtime", args...)
	if a.status != 1 || !strings.Contains(a.out, "Resource group Nobody was not found.") || !strings.Contains(a.out, "'ibmcloud resource groups'") {
		t.Errorf("%+v\n%s", a, strings.Join(cl.requests, "\n"))
	}
}

// With a private endpoint, commands send no request to a public endpoint, even if they fail for this reason.
func TestPrivateEndpointIsNeverLeft(t *testing.T) {
	cl := newCloud(t)
	config := session(jwt(time.Now().Add(-time.Hour)))
	config["IsPrivate"] = true
	a := list(t, install(t, config), cl)
	if len(cl.requests) == 0 && a.status == 0 {
		t.Errorf("got %+v without a request, want a failure", a)
	}
	for _, r := range cl.requests {
		if !strings.Contains(r, "private.") {
			t.Errorf("%s is public; %+v", r, a)
		}
	}
}

// The trace contains the requests and no secrets.
func TestTrace(t *testing.T) {
	cl := newCloud(t)
	token := jwt(time.Now().Add(-time.Hour))
	c := install(t, session(token))
	file := filepath.Join(c.home, "trace.log")
	c.env = []string{"IBMCLOUD_TRACE=" + file}
	if a := list(t, c, cl); a.status != 0 {
		t.Fatalf("got %+v, want status 0", a)
	}
	data, err := os.ReadFile(file)
	info, statErr := os.Stat(file)
	if err != nil || statErr != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v, %v", err, statErr, info)
	}
	if !strings.Contains(string(data), "us-south.functions.cloud.ibm.com") {
		t.Errorf("no requests: %s", data)
	}
	for _, secret := range []string{token, cl.fresh(), "refresh-1", "refresh-2"} {
		if strings.Contains(string(data), secret) {
			t.Errorf("the trace holds a secret")
		}
	}
}
