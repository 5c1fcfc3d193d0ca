// Package scripts runs the script of docs/automation.md unchanged, against three local endpoints that imitate three
// accounts. host.py imitates 'ibmcloud'.
package scripts

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fn-runtime/test/harness"
)

const mark = "<!-- the script that test/scripts runs -->"

// script returns the script in the page.
func script(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(harness.Root(t), "docs", "automation.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, marked := strings.Cut(string(data), mark)
	_, rest, begun := strings.Cut(rest, "```bash\n")
	text, _, ended := strings.Cut(rest, "\n```\n")
	if !marked || !begun || !ended {
		t.Fatalf("docs/automation.md has no script behind %s", mark)
	}
	return text + "\n"
}

func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

func TestTheScriptLoopsOverAccounts(t *testing.T) {
	venv := harness.Venv(t, "3.11", "lithops", "boto3")
	s := harness.NewStage(t)
	names := []string{"development", "production", "research"}
	accounts := map[string]*account{}
	for _, name := range names {
		a := open(t, name, venv)
		accounts[name] = a
		key, err := json.Marshal(map[string]string{"name": name, "apikey": a.Key})
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(s.Dir, "keys", name+".json"), string(key), 0o600)
		write(t, filepath.Join(s.Dir, "keys", name+".config"), "lithops:\n  backend: ibm_cf\n  storage: minio\nminio:\n  endpoint: "+a.endpoint.S3Endpoint+
			"\n  storage_bucket: "+a.endpoint.Bucket+"\n  access_key_id: "+a.endpoint.AccessKey+"\n  secret_access_key: "+a.endpoint.SecretKey+"\n", 0o600)
	}
	host, err := os.ReadFile("host.py")
	if err != nil {
		t.Fatal(err)
	}
	binary, err := os.ReadFile(s.Bin)
	if err != nil {
		t.Fatal(err)
	}
	known, err := json.Marshal(accounts)
	if err != nil {
		t.Fatal(err)
	}
	state := filepath.Join(s.Home, "accounts.json")
	write(t, state, string(known), 0o600)
	write(t, filepath.Join(s.Home, "bin", "ibmcloud"), string(host), 0o700)
	write(t, filepath.Join(s.Home, ".bluemix", "plugins", "fn-runtime", "fn-runtime"), string(binary), 0o700)
	write(t, filepath.Join(s.Dir, "runtimes.yaml"), "runtimes:\n- image: 127.0.0.1:1/me/a:1\n  memory: [256, 512]\n- 127.0.0.1:1/me/b:1\n", 0o600)
	write(t, filepath.Join(s.Dir, "apply-everywhere.sh"), script(t), 0o600)
	s.Env = []string{"VIRTUAL_ENV=" + venv, "FAKE_ACCOUNTS=" + state, "LC_ALL=C.UTF-8",
		"PATH=" + filepath.Join(s.Home, "bin") + ":" + filepath.Join(venv, "bin") + ":" + os.Getenv("PATH")}
	run := func(status int, want ...string) {
		t.Helper()
		r := s.Try(5*time.Minute, "bash", "apply-everywhere.sh", "runtimes.yaml", "keys")
		lines := strings.Split(strings.TrimSpace(r.Stdout), "\n")
		ok := r.Code == status && len(lines) == len(want)
		for i := range want {
			ok = ok && strings.HasPrefix(lines[i], want[i])
		}
		if !ok {
			logs := ""
			for _, name := range names {
				data, _ := os.ReadFile(filepath.Join(s.Dir, name+".log"))
				logs += name + ": " + string(data)
				data, _ = os.ReadFile(filepath.Join(s.Dir, name+".result.json"))
				logs += string(data)
			}
			t.Fatalf("exit %d\n%s%s\n%s", r.Code, r.Stdout, r.Stderr, logs)
		}
	}

	run(0, "development: 3 runtimes, 3 changed", "production: 3 runtimes, 3 changed", "research: 3 runtimes, 3 changed")
	for name, a := range accounts {
		// Each endpoint has received the actions of its account, in a package of its key, and no request with another
		// token.
		requests := ""
		for _, r := range a.stage.Requests() {
			requests += r.Method + " " + r.Path + "\n"
		}
		if n := strings.Count(requests, "/actions/lithops_"+strings.ToLower(a.Key[:4])+"/"); n < 6 || a.asked.Load() == 0 || a.refused.Load() > 0 {
			t.Errorf("%s: %d requests for its package, %d with its token, %d refused\n%s", name, n, a.asked.Load(), a.refused.Load(), requests)
		}
		for _, other := range accounts {
			if other != a && strings.Contains(requests, "lithops_"+strings.ToLower(other.Key[:4])+"/") {
				t.Errorf("%s got what belongs to another account", name)
			}
		}
	}
	run(0, "development: 3 runtimes, 0 changed", "production: 3 runtimes, 0 changed", "research: 3 runtimes, 0 changed")

	// One key has been revoked and one service is down. The other accounts are still processed, and the exit status
	// reports the failure.
	write(t, filepath.Join(s.Dir, "keys", "development.json"), `{"apikey": "withdrawn"}`, 0o600)
	accounts["research"].stage.FnRuntime("local", "stop", "-q")
	run(1, "development: the login failed, see development.log", "production: 3 runtimes, 0 changed", "research: failed: ")

	// No key was passed on a command line, and no session remains.
	calls, err := os.ReadFile(state + ".calls")
	if err != nil || strings.Count(string(calls), `"login"`) != 9 {
		t.Errorf("%v\n%s", err, calls)
	}
	for name, a := range accounts {
		if strings.Contains(string(calls), a.Key) {
			t.Errorf("the key of %s was on a command line", name)
		}
		if _, err := os.Stat(filepath.Join(s.Dir, "homes", name, ".bluemix", "config.json")); err == nil && name != "development" {
			t.Errorf("the session of %s still exists", name)
		}
	}
}
