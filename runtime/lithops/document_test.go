package lithops

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func parseDocument(t *testing.T, text string) *Document {
	t.Helper()
	d, err := mustLoad(t, "3.8.0", text).Document()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// renderBody returns the text of a document without the header comment.
func renderBody(t *testing.T, d *Document) string {
	t.Helper()
	data, err := d.Text("x")
	if err != nil {
		t.Fatal(err)
	}
	_, text, ok := strings.Cut(string(data), "\n\n")
	if !ok {
		t.Fatalf("no header comment:\n%s", data)
	}
	return text
}

func TestDocumentKeepsUnchangedParts(t *testing.T) {
	const text = "# mine\nlithops:\n  log_level: DEBUG # loud\n  backend: openwhisk\n\nopenwhisk:\n  api_key: a:b\n  runtime_memory: 0x100\n  max_workers: 7\n"
	d := parseDocument(t, text)
	if got := renderBody(t, d); got != strings.ReplaceAll(text, "\n\n", "\n") && got != text {
		t.Errorf("the unchanged document differs: want -, got +\n%s", cmp.Diff(text, got))
	}
	d.Set("lithops", "backend", "ibm_cf")
	d.Set("lithops", "monitoring_interval", 0.2)
	d.Set("ibm_cf", "region", "eu-de")
	d.Set("ibm_cf", "namespace", "")
	d.Delete("openwhisk", "api_key")
	want := "# mine\nlithops:\n  log_level: DEBUG # loud\n  backend: ibm_cf\n  monitoring_interval: 0.2\nopenwhisk:\n  runtime_memory: 0x100\n  max_workers: 7\nibm_cf:\n  region: eu-de\n"
	if d := cmp.Diff(want, strings.ReplaceAll(renderBody(t, d), "\n\n", "\n")); d != "" {
		t.Errorf("want -, got +\n%s", d)
	}
}

func TestDocumentParsesLikeClient(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"JSON":       {`{"lithops": {"backend": "openwhisk", "storage": "minio"}, "minio": {"secret_access_key": "yes"}}`, "\"lithops\":\n  \"backend\": \"openwhisk\"\n  \"storage\": \"minio\"\n\"minio\":\n  \"secret_access_key\": \"yes\"\n"},
		"duplicates": {"lithops: {backend: a, backend: openwhisk}\n", "lithops:\n  backend: openwhisk\n"},
		"header":     {"# Lithops configuration for x\n# more\n\n# mine\nlithops: {backend: openwhisk}\n", "# mine\nlithops:\n  backend: openwhisk\n"},
	} {
		if d := cmp.Diff(c.want, renderBody(t, parseDocument(t, c.text))); d != "" {
			t.Errorf("%s: want -, got +\n%s", name, d)
		}
	}
	if d := parseDocument(t, ""); !d.Empty() {
		t.Error("the document of an empty file has sections")
	}
}

func TestMergeRemovesConflictingKeys(t *testing.T) {
	d := parseDocument(t, "lithops: {backend: ibm_cf, log_level: DEBUG}\nbase: &b\n  namespace_id: old\n  max_workers: 7\nopenwhisk: *b\nminio:\n  endpoint: http://x\n  session_token: t\nredis: {host: h}\n")
	d.Merge(parseDocument(t, "lithops: {backend: openwhisk}\nopenwhisk: {endpoint: https://y, api_key: k}\nminio: {endpoint: https://y}\n"))
	want := "lithops:\n  backend: openwhisk\n  log_level: DEBUG\nbase: &b\n  namespace_id: old\n  max_workers: 7\n" +
		"openwhisk:\n  max_workers: 7\n  endpoint: https://y\n  api_key: k\nminio:\n  endpoint: https://y\nredis:\n  host: h\n"
	if d := cmp.Diff(want, renderBody(t, d)); d != "" {
		t.Errorf("want -, got +\n%s", d)
	}
}

func TestMaskReplacesSecrets(t *testing.T) {
	d := parseDocument(t, "# SECRET0\nx: &k SECRET1\nibm:\n  iam_api_key: *k # SECRET2\nminio: {access_key_id: SECRET3, secret_access_key: SECRET4, storage_bucket: b}\n"+
		"openwhisk: {docker_password: SECRET5, api_key: [SECRET6], runtime: me/x, token_expiry_time: 99}\nrabbitmq: {amqp_url: 'amqp://u:SECRET7@host/'}\nredis: {password: 123456}\naz: {storage_account_key: SECRET8}\n")
	d.Mask("***")
	text := renderBody(t, d)
	if strings.Contains(text, "SECRET") || strings.Contains(text, "123456") {
		t.Errorf("the document contains a secret:\n%s", text)
	}
	for _, want := range []string{"storage_bucket: b", "runtime: me/x", "token_expiry_time: 99", "api_key:"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing:\n%s", want, text)
		}
	}
}

func TestJSONWithTabsIsRewritten(t *testing.T) {
	getenv := func(name string) string {
		return map[string]string{"LITHOPS_CONFIG": "{\n\t\"lithops\": {\n\t\t\"backend\": \"openwhisk\"\n\t}\n}"}[name]
	}
	c, err := Load(LoadOptions{Getenv: getenv})
	if err != nil {
		t.Fatal(err)
	}
	d, err := c.Document()
	if err != nil {
		t.Fatal(err)
	}
	if text, err := d.Text("a test"); err != nil || !strings.Contains(string(text), `"backend": "openwhisk"`) {
		t.Errorf("got %q, %v", text, err)
	}
}
