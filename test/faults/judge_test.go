package faults

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"fn-runtime/runtime/local/cloud"
)

// volatile lists the keys whose values differ between two undisturbed runs.
var volatile = []string{"took_ms", "total_ms", "init_ms", "run_ms", "wait_ms", "cold", "activation_id", "updated_at"}

// normalize returns a JSON document without the values that differ between runs.
func normalize(s *stage, text string) string {
	var doc any
	if json.Unmarshal([]byte(text), &doc) != nil {
		return text
	}
	data, err := json.MarshalIndent(strip(doc), "", " ")
	if err != nil {
		return text
	}
	return s.Cloud.Normalize(strings.ReplaceAll(string(data), s.Home, "HOME"))
}

func strip(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for _, key := range volatile {
			delete(v, key)
		}
		for k := range v {
			v[k] = strip(v[k])
		}
	case []any:
		for i := range v {
			v[i] = strip(v[i])
		}
	}
	return v
}

// document is the JSON output of changing commands and of failures.
type document struct {
	Error *failure `json:"error"`
	Items []struct {
		Change, Kind, Name, Status string
		Error                      *failure
	}
	Checks []struct{ Name, Status, Finding, Remedy string }
}

type failure struct{ Message, Recovery, Code string }

// goWords matches words of Go errors, which must not appear in output for users.
var goWords = regexp.MustCompile(`context deadline|context canceled|EOF|goroutine|panic|nil pointer|0x[0-9a-f]{6}|unmarshal|invalid character|%!|\{\{|<nil>|dial tcp|read tcp|WskError|RequestError`)

// warnings matches allowed warnings: slow pushes of an engine and their retries, and leftovers that the command
// reports.
var warnings = regexp.MustCompile(`(?m)^WARNING: (The push to \S+ was interrupted and resumes in|Code that no runtime uses any longer could not be deleted:|The partial deployment of runtime \S+ could not be deleted:) .*\n`)

// operation matches the beginning of an operation's name.
var operation = regexp.MustCompile(`^[A-Z][a-z]+ing `)

// judge compares the output of a command with the actual state.
func judge(t *testing.T, s *stage, p pair, a cloud.Result) (trouble []string) {
	wrong := func(format string, args ...any) { trouble = append(trouble, fmt.Sprintf(format, args...)) }
	now := actualState(t, s)
	if told := warnings.ReplaceAllString(a.Err, ""); told != "" {
		wrong("standard error is not empty")
	}
	switch a.Status {
	case 0:
		if !p.story.reads && !slices.Equal(now, p.base.state) {
			wrong("it says success, and there is\n        %s", strings.Join(now, "\n        "))
		}
		if p.story.reads && !sameOutput(p, normalize(s, a.Out)) {
			wrong("it answers with something else than undisturbed, which is %s", p.base.answer.Out)
		}
		if p.story.engine {
			if err := wrongDigest(s, a); err != nil {
				wrong("%v", err)
			}
		}
		return trouble
	case 1:
	default:
		wrong("exit status %d", a.Status)
	}
	var doc document
	if err := json.Unmarshal([]byte(a.Out), &doc); err != nil || doc.Error == nil {
		wrong("no error document: %v", err)
		return trouble
	}
	all := []failure{*doc.Error}
	named := operation.MatchString(doc.Error.Message) || len(doc.Checks) > 0
	for _, it := range doc.Items {
		if it.Error != nil {
			all = append(all, *it.Error)
			named = true // the item names the change and the resource
		}
		trouble = append(trouble, checkClaim(s, it.Change, it.Kind, it.Name, it.Status, now)...)
	}
	for _, c := range doc.Checks {
		if c.Status == "failed" {
			all = append(all, failure{c.Finding, c.Remedy, "check"})
		}
	}
	if !named {
		wrong("the message names no operation")
	}
	for _, f := range all {
		if f.Message == "" || f.Recovery == "" || f.Code == "" {
			wrong("message, remedy or code is missing: %+v", f)
		}
		if w := goWords.FindString(f.Message + " " + f.Recovery); w != "" {
			wrong("%q is not for people", w)
		}
	}
	return trouble
}

// checkClaim checks that a reported change has happened.
func checkClaim(s *stage, change, kind, name, status string, now []string) (trouble []string) {
	if status != "done" {
		return nil
	}
	prefix := map[string]string{"action": "action ", "metadata": "object ", "cache": "cache ", "package": "package ", "namespace": "namespace ",
		"job": "job ", "job_run": "job_run ", "config_map": "config_map ", "secret": "secret ", "project": "project "}[kind]
	if prefix == "" {
		return nil
	}
	name = s.Cloud.Normalize(name)
	there := slices.ContainsFunc(now, func(line string) bool { return strings.HasPrefix(line, prefix+name) })
	if there != (change != "delete") {
		trouble = append(trouble, fmt.Sprintf("%s of %s %s is reported as done, but exists: %v", change, kind, name, there))
	}
	return trouble
}

// sameOutput compares the output of reading commands. Two differences are allowed: the digest may be missing if a
// registry does not respond in time, and a bucket may be reported as missing if the server itself reports that.
func sameOutput(p pair, got string) bool {
	want := p.base.answer.Out
	if p.request.service == cloud.S3 && strings.HasPrefix(p.request.what, "HEAD ") && p.fault.Name == "404" {
		return strings.Contains(got, "does not exist yet")
	}
	drop := regexp.MustCompile(`"digest_current": "[^"]*"`) // the wait for the registry is short, so a delay may exceed it
	return drop.ReplaceAllString(got, "") == drop.ReplaceAllString(want, "")
}
