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

// volatile are the keys whose values differ between two undisturbed runs.
var volatile = []string{"took_ms", "total_ms", "init_ms", "run_ms", "wait_ms", "cold", "activation_id", "updated_at"}

// steady is a JSON document without what differs from run to run.
func steady(s *stage, text string) string {
	var doc any
	if json.Unmarshal([]byte(text), &doc) != nil {
		return text
	}
	data, err := json.MarshalIndent(strip(doc), "", " ")
	if err != nil {
		return text
	}
	return s.Cloud.Portless(strings.ReplaceAll(string(data), s.Home, "HOME"))
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

// document is what every changing command and every failure says in JSON.
type document struct {
	Error *failure `json:"error"`
	Items []struct {
		Change, Kind, Name, Status string
		Error                      *failure
	}
	Checks []struct{ Name, Status, Finding, Remedy string }
}

type failure struct{ Message, Recovery, Code string }

// goWords are words of programs, which no user should have to read.
var goWords = regexp.MustCompile(`context deadline|context canceled|EOF|goroutine|panic|nil pointer|0x[0-9a-f]{6}|unmarshal|invalid character|%!|\{\{|<nil>|dial tcp|read tcp|WskError|RequestError`)

// warnings are those that a command may have: an engine's push takes long, and so do its repetitions; and what is left over
// is said where the work is done.
var warnings = regexp.MustCompile(`(?m)^WARNING: (The push to \S+ was interrupted and resumes in|Code that no runtime uses any longer could not be deleted:|The partial deployment of runtime \S+ could not be deleted:) .*\n`)

// operation is how the name of an operation begins.
var operation = regexp.MustCompile(`^[A-Z][a-z]+ing `)

// judge compares what a command says with what is there.
func judge(t *testing.T, s *stage, p pair, a cloud.Answer) (trouble []string) {
	wrong := func(format string, args ...any) { trouble = append(trouble, fmt.Sprintf(format, args...)) }
	now := really(t, s)
	if told := warnings.ReplaceAllString(a.Err, ""); told != "" {
		wrong("standard error is not empty")
	}
	switch a.Status {
	case 0:
		if !p.story.reads && !slices.Equal(now, p.base.state) {
			wrong("it says success, and there is\n        %s", strings.Join(now, "\n        "))
		}
		if p.story.reads && !sameAnswer(p, steady(s, a.Out)) {
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
			named = true // the item says what was done to what
		}
		trouble = append(trouble, claim(s, it.Change, it.Kind, it.Name, it.Status, now)...)
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

// claim checks that what is said to be done is done.
func claim(s *stage, change, kind, name, status string, now []string) (trouble []string) {
	if status != "done" {
		return nil
	}
	prefix := map[string]string{"action": "action ", "metadata": "object ", "cache": "cache ", "package": "package ", "namespace": "namespace ",
		"job": "job ", "job_run": "job_run ", "config_map": "config_map ", "secret": "secret ", "project": "project "}[kind]
	if prefix == "" {
		return nil
	}
	name = s.Cloud.Portless(name)
	there := slices.ContainsFunc(now, func(line string) bool { return strings.HasPrefix(line, prefix+name) })
	if there != (change != "delete") {
		trouble = append(trouble, fmt.Sprintf("%s of %s %s is said to be done; there: %v", change, kind, name, there))
	}
	return trouble
}

// sameAnswer compares answers of reading commands. A registry that does not answer in time only leaves its digest
// out, and a bucket of which the server itself says that it is not there is reported so.
func sameAnswer(p pair, got string) bool {
	want := p.base.answer.Out
	if p.request.service == cloud.S3 && strings.HasPrefix(p.request.what, "HEAD ") && p.fault.Name == "404" {
		return strings.Contains(got, "does not exist yet")
	}
	drop := regexp.MustCompile(`"digest_current": "[^"]*"`) // the wait for the registry is short, and delays use it up
	return drop.ReplaceAllString(got, "") == drop.ReplaceAllString(want, "")
}
