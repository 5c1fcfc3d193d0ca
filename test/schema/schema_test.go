package schema

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"fn-runtime/commands/view"
	"fn-runtime/i18n"
	"fn-runtime/runtime"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/manifest"
	"fn-runtime/test/harness"
)

// stage returns a stage with Lithops and without a container engine.
func stage(t *testing.T) *harness.Stage {
	t.Helper()
	s := harness.NewStage(t)
	s.Env = []string{"VIRTUAL_ENV=" + harness.Venv(t, "3.11", "lithops", "boto3"), "DOCKER_HOST=tcp://127.0.0.1:1"}
	return s
}

// The output of every command conforms to its schema, for success and failure.
func TestRealOutputFollowsTheSchemas(t *testing.T) {
	s, check := stage(t), &Check{}
	file := filepath.Join(s.Dir, "runtimes.yaml")
	if err := os.WriteFile(file, []byte("runtimes:\n- image: 127.0.0.1:1/me/a:1\n  memory: [256, 512]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	wrong := filepath.Join(s.Dir, "wrong.yaml")
	if err := os.WriteFile(wrong, []byte("runtimes:\n- imag: x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const image = "127.0.0.1:1/me/a:1"
	seen := map[string]bool{}
	for _, c := range []struct {
		schema string
		status int
		line   string
	}{
		{"version", 0, "version"},
		{"error", 2, "deploy"},
		{"error", 2, "nothing"},
		{"error", 1, "list"}, // not logged in
		{"error", 1, "list -c none.yaml"},
		{"error", 2, "delete all -b local"},
		{"local-status", 0, "local status"},
		{"local-start", 0, "local start"},
		{"error", 1, "local start --max-storage 5"}, // the endpoint runs with another value
		{"local-restart", 0, "local restart"},
		{"local-status", 0, "local status"},
		{"local-status", 0, "local status --show-secrets"},
		{"list", 0, "list -b local"},
		{"deploy", 0, "deploy " + image + " -m 256,512 -b local --dry-run"},
		{"deploy", 0, "deploy " + image + " -m 256,512 -b local"},
		{"deploy", 0, "deploy " + image + " -m 256,512 -b local"},
		{"error", 2, "deploy " + image + " -m 5000 -b local"},
		{"update", 0, "update all -b local --dry-run"},
		{"update", 0, "update all -b local --force"},
		{"update", 1, "update other -b local"},
		{"rollback", 1, "rollback " + image + " -b local"},
		{"list", 0, "list -b local"},
		{"export", 0, "export -b local"},
		{"show", 0, "show " + image + " -b local"},
		{"show", 1, "show other -b local"},
		{"invoke", 0, "invoke " + image + " -b local"},
		{"invoke", 1, "invoke other -b local"},
		{"jobs", 0, "jobs -b local"},
		{"jobs", 1, "jobs a1b2c3-0-M000 -b local"},
		{"dashboard", 1, "dashboard a1b2c3-0-M000 -b local --save timeline.svg"}, // test/dashboard has a successful case
		{"doctor", 0, "doctor -b local"},
		{"doctor", 1, "doctor -b ibm_cf"},
		{"apply-result", 0, "apply " + file + " -b local --dry-run"},
		{"apply-result", 0, "apply " + file + " -b local --prune -f"},
		{"apply-result", 1, "apply " + wrong + " -b local"},
		{"lithops-config", 0, "lithops-config -b local"},
		{"lithops-config", 0, "lithops-config -b local --show-secrets"},
		{"lithops-config", 0, "lithops-config -b local -o config"},
		{"local-env", 0, "local env"},
		{"init", 0, "init " + filepath.Join(s.Dir, "image")},
		{"build", 1, "build me/x:1 " + filepath.Join(s.Dir, "image")},
		{"delete", 0, "delete " + image + " -m 512 -b local --dry-run"},
		{"delete", 0, "delete " + image + " -m 512 -b local -f"},
		{"delete", 1, "delete other -b local -f"},
		{"prune", 0, "prune -b local -f"},
		{"clean", 0, "clean -b local --dry-run"},
		{"clean", 0, "clean -b local --jobs-only --older-than 1h -f"},
		{"clean", 0, "clean -b local -f"},
		{"local-stop", 0, "local stop"},
		{"local-status", 0, "local status"},
	} {
		seen[c.schema] = true
		r := s.Try(3*time.Minute, s.Bin, append(strings.Fields(c.line), "--output", "json")...)
		if r.Code != c.status {
			t.Errorf("%s: exit %d, want %d\n%s%s", c.line, r.Code, c.status, r.Stdout, r.Stderr)
		}
		if err := check.Validate(t, c.schema, r.Stdout); err != nil {
			t.Errorf("%s: %v\n%s", c.line, err, r.Stdout)
		}
		if failed := strings.Contains(r.Stdout, "\n  \"error\": {"); failed != (c.status != 0) {
			t.Errorf("%s: exit %d, an error in the document is %v", c.line, r.Code, failed)
		}
	}
	seen["logs"] = true // a line of it is validated below
	logs := s.FnRuntime("local", "logs", "-n", "20", "--output", "json").Stdout
	for line := range strings.Lines(logs) {
		check.Valid(t, "local-logs", line)
	}
	seen["local-logs"], seen["local-reset"] = logs != "", true
	check.Valid(t, "local-reset", s.FnRuntime("local", "reset", "-f", "--output", "json").Stdout)
	for _, name := range names(t) {
		if name != "common" && name != "apply" && !seen[name] {
			t.Errorf("no output was held to %s.json", name)
		}
	}
}

// Documents that need a registry, several regions or rare errors are created from the same types as the real output.
func TestRareDocumentsFollowTheSchemas(t *testing.T) {
	check := &Check{}
	failed := &view.ErrorDocument{Message: "No.", Recovery: "Try again.", Code: "unavailable", Details: []string{"line"}}
	regions := []view.RegionDocument{{Region: "us-south", OK: true}, {Region: "eu-de", Error: failed}}
	for name, doc := range map[string]any{
		"build": view.BuiltDocument{Image: "me/x:1", ID: "sha256:a", Digest: "sha256:b", SizeBytes: 1, PythonVersion: "3.11"},
		"deploy": struct {
			view.ResultDocument
			Error *view.ErrorDocument `json:"error"`
		}{view.ResultDocument{Items: []view.ItemDocument{
			{Change: "create", Kind: "action", Name: "p/a", Image: "me/x", MemoryMB: 256, Region: "eu-de", Status: "failed", Error: failed},
			{Change: "delete", Kind: "objects", Name: "lithops.jobs/", Status: "done", Count: 3},
		}, Runtimes: []view.RuntimeDocument{}, Regions: regions}, failed},
		"list": struct {
			view.RuntimesDocument
			Error *view.ErrorDocument `json:"error"`
		}{view.RuntimesDocument{Runtimes: []view.RuntimeDocument{}, Regions: regions}, failed},
		"jobs":   jobDetail(t),
		"logs":   logLine(t),
		"doctor": view.ChecksDocument{Checks: []view.CheckDocument{{Region: "eu-de", Name: "region", Status: "ok"}}},
	} {
		data, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		check.Valid(t, name, string(data))
	}
}

// jobDetail and logLine return the JSON of a job with a failed call, and of a line of its log.
func jobDetail(t *testing.T) json.RawMessage {
	at := time.Now()
	call := entity.Call{Job: "a1b2c3-0-M000", ID: "00000", State: entity.CallFailed, Started: at, Ended: at.Add(time.Second), Error: "ValueError"}
	job := entity.Job{ID: call.Job, Calls: entity.Counts{Total: 1, Failed: 1}, First: at}
	return written(t, func(v *view.View) error {
		return v.Job(runtime.JobDetail{Job: job, List: []entity.Call{call}}, 0.1)
	})
}

func logLine(t *testing.T) json.RawMessage {
	return written(t, func(v *view.View) error {
		return v.LogLine(entity.LogLine{Time: time.Now(), Stream: "stdout", Text: "x"})
	})
}

func written(t *testing.T, write func(v *view.View) error) json.RawMessage {
	t.Helper()
	var out bytes.Buffer
	if err := write(&view.View{Streams: view.Streams{Out: &out}, Texts: i18n.New(i18n.English), JSON: true}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestSchemasRefuse(t *testing.T) {
	check := &Check{}
	for name, text := range map[string]string{
		"list":    `[{"name": "x"}]`,
		"error":   `{"error": {"message": "x", "recovery": "", "code": "whatever"}}`,
		"deploy":  `{"dry_run": true, "changed": true, "items": [{"change": "replace"}], "runtimes": []}`,
		"version": `{"name": "x", "version": "1", "go_version": "1", "platform": "p", "more": 1}`,
	} {
		if check.Validate(t, name, text) == nil {
			t.Errorf("%s takes %s", name, text)
		}
	}
}

// The schema for editors and the parser accept the same files.
func TestApplyFilesFollowTheirSchema(t *testing.T) {
	check := &Check{}
	for text, good := range map[string]bool{
		"runtimes:\n- default\n": true,
		"regions: all\nruntimes:\n- image: me/x:1\n  memory: 256\n  timeout: 3\n  pin: true\n  build: ./x\n":                                                                                                 true,
		"regions: [us-south, eu-de]\nruntimes:\n- image: me/x:1\n  memory: [256, 512]\n  build: {context: ., dockerfile: d, args: {A: 1}, platform: p}\n":                                                    true,
		"runtimes:\n- image: me/x:${TAG:-1}\n  memory: [\"256\", 512]\n":                                                                                                                                     false,
		"regions: ${WHERE:-eu-de}\nruntimes:\n- image: me/x:${TAG:-1}\n  memory: ${MEMORY:-256}\n  timeout: ${TIME:-3}\n  pin: ${PIN:-true}\n  cpu: ${CPU:-0.5}\n  regions: [us-south, \"${WHERE:-all}\"]\n": true,
		"runtimes:\n- image: x\n  memory: [\"$MEMORY\"]\n":                                                                                                                                                   false,
		"runtimes:\n":                                         true,
		"runtimes: []\n":                                      true,
		"{}\n":                                                false,
		"runtimes: x\n":                                       false,
		"runtimes:\n- memory: 256\n":                          false,
		"runtimes:\n- image: x\n  memory: 0\n":                false,
		"runtimes:\n- image: x\n  memory: []\n":               false,
		"runtimes:\n- image: x\n  memory: 1.5\n":              false,
		"runtimes:\n- image: x\n  pin: maybe\n":               false,
		"runtimes:\n- image: 3\n":                             false,
		"runtimes:\n- image: x\n  color: red\n":               false,
		"runtimes:\n- image: x\n  build: {folder: .}\n":       false,
		"runtimes:\n- image: x\n  build: {args: {A: [1]}}\n":  false,
		"runtimes:\n- image: x\n  timeout: soon\n":            false,
		"color: red\nruntimes:\n- image: x\n":                 false,
		"runtimes:\n- image: x\n  build: {context: '', a: 1}": false,
	} {
		var doc any
		if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
			t.Fatal(err)
		}
		data, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		if err := check.Validate(t, "apply", string(data)); (err == nil) != good {
			t.Errorf("schema, %q: %v", text, err)
		}
		if _, err := manifest.Parse("f", []byte(text), os.Getenv); (err == nil) != good {
			t.Errorf("reader, %q: %v", text, err)
		}
	}
}
