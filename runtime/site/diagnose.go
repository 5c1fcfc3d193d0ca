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

// The limits for the displayed output of a failed activation. They leave enough to see the cause but bound untrusted
// text.
const (
	maxLines = 20
	maxWidth = 400 // bytes per line
)

var missingModule = text.NewPattern(`No module named '?([A-Za-z0-9_.]{1,100})`)

// Diagnose returns an error that explains why a runtime did not return its metadata, with the last lines of its log and
// a suggested fix.
func (s *Site) Diagnose(ctx context.Context, w Wanted, run entity.Activation) error {
	if run.Cause != nil {
		return run.Cause
	}
	if len(run.Logs) == 0 && run.ID != "" {
		run = s.record(ctx, run)
	}
	message := reason(run)
	everything := message + "\n" + strings.Join(run.Logs, "\n")
	cause, remedy := i18n.M("Runtime {{.Image}} does not start: {{.Error}}.", "Image", w.Image, "Error", strings.TrimRight(message, ".")), s.suggestedFix(w)
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

// FailureReason returns why the service ended an unsuccessful activation.
func FailureReason(run entity.Activation) i18n.Message {
	message := reason(run)
	switch {
	case run.TimedOut:
		return i18n.M("It exceeded the timeout of its runtime.")
	case strings.Contains(message, "exhausted its memory") || strings.Contains(strings.ToLower(message), "oomkilled"):
		return i18n.M("It needed more than {{.Memory}} MB of memory.", "Memory", run.MemoryMB)
	}
	return i18n.M("The compute service stopped it: {{.Error}}", "Error", message)
}

// recordTimeout limits the wait for the record of a failed activation, which contains its log. A service stores the
// record after its response, when it has collected the log. This can take a second or two.
const recordTimeout = 10 * time.Second

// record adds the log and the result from the record of an activation. If there is no record in time, the activation is
// unchanged.
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

// Interpreter returns the client's Python interpreter for use in a shell command.
func (s *Site) Interpreter() string {
	return cmp.Or(s.Install.Interpreter, "python3")
}

func (s *Site) suggestedFix(w Wanted) i18n.Message {
	if s.Target.HostPython {
		return i18n.M("Read the endpoint's log with 'ibmcloud fn-runtime local logs'.")
	}
	return i18n.M("Check that image {{.Image}} is pushed, that the service can pull it, and that it implements the action protocol. 'ibmcloud fn-runtime init' writes a Dockerfile for such an image.", "Image", w.Reference())
}

// reason returns the error that the activation itself reports.
func reason(run entity.Activation) string {
	var result struct {
		Error json.RawMessage `json:"error"`
	}
	message := ""
	if json.Unmarshal(run.Result, &result) == nil && len(result.Error) > 0 {
		if json.Unmarshal(result.Error, &message) != nil {
			message = string(result.Error)
		}
	}
	switch message = text.Line(message, maxWidth); {
	case message != "":
		return message
	case run.Success:
		return "its response is not Lithops metadata"
	case run.Status != "":
		return text.Line(run.Status, maxWidth)
	}
	return fmt.Sprintf("activation %s failed", text.Line(run.ID, maxWidth))
}

// LastLines returns the end of a log with all lines made printable.
func LastLines(logs []string) []string {
	logs = logs[max(0, len(logs)-maxLines):]
	lines := make([]string, len(logs))
	for i, line := range logs {
		lines[i] = text.Line(line, maxWidth)
	}
	return lines
}

// Sentence returns the text of an error, ending with a period. It includes equal lines of joined errors only once.
func Sentence(err error) string {
	var lines []string
	for line := range strings.SplitSeq(err.Error(), "\n") {
		if !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	sentence := text.Line(strings.Join(lines, "\n"), maxWidth)
	if sentence != "" && sentence[len(sentence)-1] != '.' {
		sentence += "."
	}
	return sentence
}
