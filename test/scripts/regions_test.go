package scripts

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fn-runtime/test/harness"
	"fn-runtime/test/schema"
)

// Two local endpoints imitate IBM Cloud Functions in two regions of one account.
func TestCommandsWorkInSeveralRegions(t *testing.T) {
	venv := harness.Venv(t, "3.11", "lithops", "boto3")
	south, de := open(t, "southern", venv), open(t, "european", venv)
	de.Token = south.Token // one session for both
	both, err := os.ReadFile(south.CA)
	if err != nil {
		t.Fatal(err)
	}
	more, err := os.ReadFile(de.CA)
	if err != nil {
		t.Fatal(err)
	}
	s, check := harness.NewStage(t), &schema.Check{}
	write(t, filepath.Join(s.Home, "ca.pem"), string(both)+string(more), 0o600)
	session, err := json.Marshal(map[string]any{
		"APIEndpoint": "https://cloud.ibm.com", "Region": "us-south", "RegionID": "us-south", "IAMEndpoint": "https://iam.cloud.ibm.com",
		"IAMToken": "Bearer " + south.Token, "IAMRefreshToken": "refresh", "Account": map[string]string{"GUID": "account", "Name": "account"},
		"ResourceGroup": map[string]string{"GUID": "group", "Name": "Default"},
	})
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(s.Home, ".bluemix", "config.json"), string(session), 0o600)
	e := south.endpoint
	write(t, filepath.Join(s.Home, ".lithops", "config"), "lithops:\n  backend: ibm_cf\n  storage: minio\nminio:\n  endpoint: "+e.S3Endpoint+
		"\n  storage_bucket: "+e.Bucket+"\n  access_key_id: "+e.AccessKey+"\n  secret_access_key: "+e.SecretKey+"\n", 0o600)
	proxy := tunnel(t, map[string]string{"us-south": south.address, "eu-de": de.address})
	s.Env = []string{"VIRTUAL_ENV=" + venv, "FN_RUNTIME_USER_KEY=abcd", "HTTPS_PROXY=" + proxy, "NO_PROXY=", "SSL_CERT_FILE=" + filepath.Join(s.Home, "ca.pem")}

	type document struct {
		Items   []struct{ Kind, Change, Status, Region string }
		Regions []struct {
			Region string
			OK     bool
		}
		Runtimes []struct{ Region, State string }
		Error    struct{ Message string }
	}
	run := func(status int, name, line string) (d document) {
		t.Helper()
		r := s.Try(3*time.Minute, s.Bin, append(strings.Fields(line), "--output", "json")...)
		check.Valid(t, name, r.Stdout)
		if strings.HasPrefix(r.Stdout, "[") {
			r.Stdout = `{"runtimes": ` + r.Stdout + `}`
		}
		if err := json.Unmarshal([]byte(r.Stdout), &d); err != nil || r.Code != status {
			t.Fatalf("%s: exit %d, want %d, %v\n%s%s", line, r.Code, status, err, r.Stdout, r.Stderr)
		}
		return d
	}
	const image = "127.0.0.1:1/me/a:1"
	d := run(0, "deploy", "deploy "+image+" --regions us-south,eu-de")
	if len(d.Regions) != 2 || !d.Regions[0].OK || !d.Regions[1].OK || south.asked.Load() == 0 || de.asked.Load() == 0 {
		t.Errorf("got %+v, want two regions that went well, both asked", d)
	}
	if again := run(0, "update", "update all --regions us-south,eu-de"); len(again.Regions) != 2 {
		t.Errorf("got %+v, want two regions", again)
	} else {
		for _, it := range again.Items {
			if it.Change != "unchanged" {
				t.Errorf("got %+v, want unchanged", it)
			}
		}
	}
	list := run(0, "list", "list --regions us-south,eu-de").Runtimes
	if len(list) != 2 || list[0].Region != "us-south" || list[1].Region != "eu-de" || list[0].State != "ready" || list[1].State != "ready" {
		t.Errorf("got %+v, want one that is ready in us-south and one in eu-de", list)
	}
	// The four unreachable regions are listed as failed; the runtimes of the others are listed.
	all := run(1, "list", "list --regions all")
	failed := 0
	for _, r := range all.Regions {
		if !r.OK {
			failed++
		}
	}
	if len(all.Runtimes) != 2 || len(all.Regions) != 6 || failed != 4 || !strings.Contains(all.Error.Message, "Region jp-tok") {
		t.Errorf("got %+v with %d regions failed, want two runtimes and 4 of 6 regions failed, jp-tok first", all, failed)
	}
	file := filepath.Join(s.Dir, "r.yaml")
	write(t, file, "runtimes:\n- image: "+image+"\n- image: 127.0.0.1:1/me/b:1\n  regions: eu-de\n", 0o600)
	if d := run(0, "apply-result", "apply "+file+" --prune -f"); len(d.Regions) != 2 {
		t.Errorf("got %+v, want two regions", d)
	}
	where := map[string]int{}
	for _, r := range run(0, "list", "list --regions us-south,eu-de").Runtimes {
		where[r.Region]++
	}
	if where["us-south"] != 1 || where["eu-de"] != 1 { // eu-de has only b, because a is not declared there
		t.Errorf("got %v, want one in us-south and one in eu-de", where)
	}
	// In both regions only the check of the configuration fails. It has no key, and the client cannot use the session.
	if d := run(1, "doctor", "doctor --regions us-south,eu-de"); d.Error.Message != "2 checks failed." {
		t.Errorf("got %q, want the configuration of the two regions alone to fail", d.Error.Message)
	}
	run(0, "delete", "delete all --regions us-south,eu-de -f")
	run(0, "clean", "clean --regions us-south,eu-de -f")
	if left := run(0, "list", "list --regions us-south,eu-de").Runtimes; len(left) != 0 {
		t.Errorf("got %+v, want nothing", left)
	}
}
