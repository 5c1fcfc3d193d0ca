package lithops

import (
	"encoding/xml"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// otherBackends excludes the tests that run on Lithops' own backend for the local machine, which does not use this
// endpoint.
const otherBackends = "not localhost and not TestSklearnOverJoblib and not TestJoblibBackendLive"

// TestLithopsOwnSuite runs 'lithops test'. This machine serves the data that one group would fetch from the Internet.
func TestLithopsOwnSuite(t *testing.T) {
	stage(t, "lithops[tests]", "").suite(t, otherBackends, 1000)
}

// suite runs the tests of Lithops' own suite that match a pytest expression. At least least tests must match.
func (s site) suite(t *testing.T, chosen string, least int) {
	t.Helper()
	report := filepath.Join(s.Dir, "report.xml")
	plugins, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	s.Env = append(s.Env, "PYTHONPATH="+plugins, "PYTHONDONTWRITEBYTECODE=1", "PYTEST_ADDOPTS=-p dataset -p no:cacheprovider -q --timeout 120 --junitxml "+report)
	r := s.Try(20*time.Minute, s.program("lithops"), "test", "-b", "openwhisk", "-s", "minio", "-t", chosen)
	data, err := os.ReadFile(report)
	if err != nil {
		t.Fatalf("no report: %v\n%s%s", err, r.Stdout, r.Stderr)
	}
	var doc struct {
		Cases []struct {
			Class    string `xml:"classname,attr"`
			Name     string `xml:"name,attr"`
			Failures []struct {
				Text string `xml:",chardata"`
			} `xml:"failure"`
			Errors []struct {
				Text string `xml:",chardata"`
			} `xml:"error"`
		} `xml:"testsuite>testcase"`
	}
	if err := xml.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	if len(doc.Cases) < least {
		t.Fatalf("%d tests have run, want %d at least\n%s%s", len(doc.Cases), least, r.Stdout, r.Stderr)
	}
	for _, c := range doc.Cases {
		name := c.Class[strings.LastIndex(c.Class, ".")+1:] + "." + c.Name
		for _, f := range append(c.Failures, c.Errors...) {
			t.Errorf("%s: %.3000s", name, f.Text)
		}
	}
	t.Logf("%d tests took %s", len(doc.Cases), r.Took.Round(time.Second))
}
