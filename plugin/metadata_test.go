package plugin

import (
	"slices"
	"strings"
	"testing"

	sdk "github.com/IBM-Cloud/ibm-cloud-cli-sdk/plugin"
)

func TestMetadataFollowsTheGuide(t *testing.T) {
	m := (&plugin{}).GetMetadata()
	if m.Name != "fn-runtime" || !slices.Equal(m.Aliases, []string{"fnr"}) || m.Version.String() != Version || !m.PrivateEndpointSupported || m.MinCliVersion == (sdk.VersionType{}) {
		t.Errorf("got %+v, want fn-runtime, fnr, version %s and private endpoints", m, Version)
	}
	spaces := make(map[string]bool)
	for _, n := range m.Namespaces {
		spaces[strings.TrimSpace(n.ParentName+" "+n.Name)] = true
		checkText(t, n.Name, n.Description)
	}
	have := make(map[string]bool)
	for _, c := range m.Commands {
		name := c.Namespace + " " + c.Name
		if have[name] {
			t.Errorf("%s is listed twice", name)
		}
		have[name] = true
		if !spaces[c.Namespace] {
			t.Errorf("%s: the namespace %s is missing", name, c.Namespace)
		}
		checkText(t, name, c.Description)
		if !strings.HasPrefix(c.Usage, "ibmcloud "+name) {
			t.Errorf("%s: usage %q", name, c.Usage)
		}
		for _, f := range c.Flags {
			if f.Description == "" || strings.Contains(f.Description, "`") {
				t.Errorf("%s %s: description %q", name, f.Name, f.Description)
			}
		}
	}
	for want := range strings.SplitSeq("init build deploy update delete list show invoke clean lithops-config doctor help version completion", " ") {
		if !have["fn-runtime "+want] {
			t.Errorf("%s is missing", want)
		}
	}
	for _, want := range []string{"start", "stop", "status", "logs"} {
		if !have["fn-runtime local "+want] {
			t.Errorf("local %s is missing", want)
		}
	}
}

// checkText checks a description against the guide: it must be a sentence of at most 10 words.
func checkText(t *testing.T, name, text string) {
	t.Helper()
	if n := len(strings.Fields(text)); n == 0 || n > 10 || !strings.HasSuffix(text, ".") {
		t.Errorf("%s: description %q", name, text)
	}
}

func TestWithNamespace(t *testing.T) {
	for namespace, want := range map[string]string{
		"": "start -q", "fn-runtime": "start -q", "fnr": "start -q", "fn-runtime local": "local start -q",
	} {
		if got := strings.Join(withNamespace(namespace, []string{"start", "-q"}), " "); got != want {
			t.Errorf("%q: %q, want %q", namespace, got, want)
		}
	}
}

func TestCandidates(t *testing.T) {
	for _, tc := range []struct{ words, want string }{
		{"de", "delete deploy"}, {"local st", "start status stop"}, {"delete ", "all default"}, {"list --backend ", "code_engine ibm_cf local openwhisk"},
		{"list --backend=lo", "local"}, {"apply ", ""}, {"help env", "environment"}, {"nonsense ", ""},
	} {
		got := candidates(strings.Split(tc.words, " "))
		slices.Sort(got)
		if strings.Join(got, " ") != tc.want {
			t.Errorf("%q: %q, want %q", tc.words, got, tc.want)
		}
	}
}
