package site

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/parallel"
	"fn-runtime/runtime/text"
)

// What is shown of a failed activation: enough to see the cause, bounded because it is the server's text.
const (
	maxLines = 20
	maxWidth = 400 // bytes of a line
)

var missingModule = text.NewPattern(`No module named '?([A-Za-z0-9_.]{1,100})`)

// Diagnose says why a runtime did not give its metadata, with the last lines of its log and a remedy.
func (s *Site) Diagnose(ctx context.Context, w Wanted, run entity.Activation) error {
	if run.Cause != nil {
		return run.Cause
	}
	if len(run.Logs) == 0 && run.ID != "" {
		run = s.record(ctx, run)
	}
	said := reason(run)
	everything := said + "\n" + strings.Join(run.Logs, "\n")
	cause, remedy := i18n.M("Runtime {{.Image}} does not start: {{.Error}}.", "Image", w.Image, "Error", strings.TrimRight(said, ".")), s.remedy(w)
	if m := missingModule.FindStringSubmatch(everything); m != nil {
		module := strings.TrimRight(m[1], ".")
		cause = i18n.M("Runtime {{.Image}} does not contain the Python module {{.Module}}, which Lithops workers import.", "Image", w.Image, "Module", module)
		remedy = i18n.M("Add {{.Module}} to the image, rebuild it with 'ibmcloud fn-runtime build {{.Image}}', and redeploy it.", "Module", module, "Image", w.Image)
		if s.Target.HostPython {
			remedy = i18n.M("Install it in the Python environment of Lithops: '{{.Python}} -m pip install {{.Module}}'.", "Python", s.Interpreter(), "Module", module)
		}
	} else if strings.Contains(everything, "exhausted its memory") {
		cause = i18n.M("Runtime {{.Image}} needs more than {{.Memory}} MB of memory to start.", "Image", w.Image, "Memory", w.MemoryMB)
		remedy = i18n.M("Deploy it with more memory: 'ibmcloud fn-runtime deploy {{.Image}} --memory {{.More}}'.", "Image", w.Image, "More", 2*w.MemoryMB)
	}
	return fault.New(fault.Failed, cause, remedy).With(LastLines(run.Logs)...)
}

// FailureReason says why a service ended a run that did not succeed.
func FailureReason(run entity.Activation) i18n.Message {
	said := reason(run)
	switch {
	case run.TimedOut:
		return i18n.M("It exceeded the timeout of its runtime.")
	case strings.Contains(said, "exhausted its memory") || strings.Contains(strings.ToLower(said), "oomkilled"):
		return i18n.M("It needed more than {{.Memory}} MB of memory.", "Memory", run.MemoryMB)
	}
	return i18n.M("The compute service stopped it: {{.Error}}", "Error", said)
}

// recordTimeout bounds the wait for the record of a failed call, which has its log. A service stores it after it has
// answered, once the log is collected: after a second or two where that takes long.
const recordTimeout = 10 * time.Second

// record completes a call with its record. Without one the result still says something.
func (s *Site) record(ctx context.Context, run entity.Activation) entity.Activation {
	ctx, cancel := context.WithTimeout(ctx, recordTimeout)
	defer cancel()
	for pause := 250 * time.Millisecond; ; pause = min(pause*3/2, 4*time.Second) {
		record, err := s.Compute.GetActivation(ctx, run.ID)
		if err == nil {
			run.Logs = record.Logs
			if len(run.Result) == 0 {
				run.Result = record.Result
			}
		}
		if !fault.Is(err, fault.NotFound) || parallel.Sleep(ctx, pause) != nil {
			return run
		}
	}
}

// Interpreter returns the client's Python, as a shell takes it.
func (s *Site) Interpreter() string {
	return cmp.Or(s.Install.Interpreter, "python3")
}

func (s *Site) remedy(w Wanted) i18n.Message {
	if s.Target.HostPython {
		return i18n.M("Read the endpoint's log with 'ibmcloud fn-runtime local logs'.")
	}
	return i18n.M("Check that image {{.Image}} is pushed, that the service can pull it, and that it implements the action protocol. 'ibmcloud fn-runtime init' writes a Dockerfile for such an image.", "Image", w.Reference())
}

// reason is what the activation itself gives as its error.
func reason(run entity.Activation) string {
	var result struct {
		Error json.RawMessage `json:"error"`
	}
	said := ""
	if json.Unmarshal(run.Result, &result) == nil && len(result.Error) > 0 {
		if json.Unmarshal(result.Error, &said) != nil {
			said = string(result.Error)
		}
	}
	switch said = text.Line(said, maxWidth); {
	case said != "":
		return said
	case run.Success:
		return "its answer is not Lithops metadata"
	case run.Status != "":
		return text.Line(run.Status, maxWidth)
	}
	return fmt.Sprintf("activation %s failed", text.Line(run.ID, maxWidth))
}

// LastLines returns the end of a log, made safe to print.
func LastLines(logs []string) []string {
	logs = logs[max(0, len(logs)-maxLines):]
	lines := make([]string, len(logs))
	for i, line := range logs {
		lines[i] = text.Line(line, maxWidth)
	}
	return lines
}

// Sentence is the text of an error, ended like a sentence. What several joined errors say alike is said once.
func Sentence(err error) string {
	var said []string
	for line := range strings.SplitSeq(err.Error(), "\n") {
		if !slices.Contains(said, line) {
			said = append(said, line)
		}
	}
	words := text.Line(strings.Join(said, "\n"), maxWidth)
	if words != "" && words[len(words)-1] != '.' {
		words += "."
	}
	return words
}
