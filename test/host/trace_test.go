package host

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	bxhttp "github.com/IBM-Cloud/ibm-cloud-cli-sdk/bluemix/http"
	"github.com/IBM-Cloud/ibm-cloud-cli-sdk/bluemix/terminal"
	"github.com/IBM-Cloud/ibm-cloud-cli-sdk/bluemix/trace"
)

// landmarks match the lines by which a reader or a script navigates a trace of the IBM Cloud CLI.
var landmarks = []*regexp.Regexp{
	regexp.MustCompile(`(?m)^REQUEST: \[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[^\]]*\]$`),
	regexp.MustCompile(`(?m)^GET /\S* HTTP/1\.1$`),
	regexp.MustCompile(`(?m)^Host: \S+$`),
	regexp.MustCompile(`(?m)^Authorization: \[PRIVATE DATA HIDDEN\]$`),
	regexp.MustCompile(`(?m)^RESPONSE: \[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[^\]]*\] Elapsed: \d+ms$`),
	regexp.MustCompile(`(?m)^HTTP/1\.1 200 OK$`),
	regexp.MustCompile(`(?m)^Content-Type: application/json$`),
}

// The trace contains the same landmarks as a trace of the CLI's own SDK, in the same order.
func TestTraceIsLikeTheCLIs(t *testing.T) {
	theirs := traceOfSDK(t)
	cl := newCloud(t)
	c := install(t, session(jwt(time.Now().Add(time.Hour))))
	c.env = []string{"IBMCLOUD_TRACE=true"}
	a := list(t, c, cl)
	if a.status != 0 || strings.TrimSpace(a.out) != "[]" {
		t.Errorf("standard output contains more than the result: %+v", a)
	}
	for name, text := range map[string]string{"theirs": theirs, "ours": a.err} {
		rest := text
		for _, mark := range landmarks {
			found := mark.FindStringIndex(rest)
			if found == nil {
				t.Errorf("%s: no %s, or not where it belongs:\n%s", name, mark, text)
				break
			}
			rest = rest[found[1]:]
		}
	}
}

// traceOfSDK returns the trace that the CLI's own SDK writes for one request.
func traceOfSDK(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, "[]")
	}))
	defer server.Close()
	var out bytes.Buffer
	before, color := trace.Logger, terminal.ErrOutput
	terminal.ErrOutput = &out
	trace.Logger = trace.NewLogger("true")
	defer func() { trace.Logger, terminal.ErrOutput = before, color }()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/x", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer x")
	resp, err := bxhttp.NewTraceLoggingTransport(nil).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	return strings.ReplaceAll(ansi.ReplaceAllString(out.String(), ""), "\r", "")
}

var ansi = regexp.MustCompile("\x1b\\[[0-9;]*m")

// The trace settings have the same meaning as for the CLI: no trace, the screen, or a file that is appended to.
func TestTraceSettings(t *testing.T) {
	for setting, where := range map[string]string{"": "", "false": "", "FALSE": "", "true": "screen", "TRUE": "screen", "trace file.log": "file"} {
		t.Run(setting, func(t *testing.T) {
			cl := newCloud(t)
			c := install(t, session(jwt(time.Now().Add(time.Hour))))
			c.env = []string{"IBMCLOUD_TRACE=" + setting}
			a := list(t, c, cl)
			file := filepath.Join(c.home, "trace file.log")
			data, _ := os.ReadFile(file)
			if onScreen, inFile := strings.Contains(a.err, "REQUEST:"), strings.Contains(string(data), "REQUEST:"); onScreen != (where == "screen") || inFile != (where == "file") || a.status != 0 {
				t.Errorf("screen %v, file %v: %+v", onScreen, inFile, a)
			}
			if where == "file" {
				again := c.run("fn-runtime", onCloud(t, c, cl)...)
				if longer, _ := os.ReadFile(file); again.status != 0 || len(longer) <= len(data) || !slices.Equal(longer[:len(data)], data) {
					t.Errorf("the file was not appended to: %d bytes, then %d; %+v", len(data), len(longer), again)
				}
			}
		})
	}
}
