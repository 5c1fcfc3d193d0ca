package view

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/text"
)

// detailLines is the maximum number of detail lines, such as the end of a build log, that an error shows.
const detailLines = 40

// Fail shows an error: it writes FAILED, the reason and the suggested fix to Err. With JSON it writes the error
// document to Out. doc is the document of the work that was completed before the error, or nil. doc must marshal to a
// JSON object.
func (v *View) Fail(err error, doc any) {
	if v.JSON {
		v.failJSON(err, doc)
		return
	}
	v.Failed()
	for _, line := range v.errorLines(err) {
		v.err().prose(line)
	}
}

// IncorrectUsage shows a usage error: the reason, the usage line and the command that prints the full help.
func (v *View) IncorrectUsage(err error, usage, help string) {
	v.Failed()
	head := v.Texts.Translate(i18n.M("Incorrect Usage."))
	for _, line := range v.errorLines(err) {
		v.err().prose(strings.TrimSpace(head + sentenceSeparator(head) + line))
		head = ""
	}
	v.err().prose(v.Texts.Translate(i18n.M("USAGE:")) + " " + v.replaceProgram(usage))
	v.err().prose(v.errText(i18n.M("See '{{.Command}}'.", "Command", help)))
}

// sentenceSeparator returns the separator between two sentences: a space, or "" after an ideographic full stop.
func sentenceSeparator(before string) string {
	if strings.HasSuffix(before, "\u3002") {
		return ""
	}
	return " "
}

// Failed writes only FAILED to Err.
func (v *View) Failed() {
	v.endProgress()
	fmt.Fprintln(v.Err, paint(v.ErrColor, failure, v.Texts.Translate(i18n.M("FAILED"))))
}

// errorLines returns the lines that describe an error: the reason and details of each fault in it, followed by the
// suggested fixes without duplicates.
func (v *View) errorLines(err error) []string {
	var lines, recoveries []string
	seen := make(map[string]bool)
	for _, one := range splitErrors(err) {
		f := asFault(one)
		lines = append(lines, v.errText(reason(f)))
		for _, d := range tail(f.Details, detailLines) {
			lines = append(lines, "   "+text.Printable(text.StripUserInfo(d)))
		}
		if recovery := v.errText(f.Recovery); recovery != "" && !seen[recovery] {
			seen[recovery] = true
			recoveries = append(recoveries, recovery)
		}
	}
	return append(lines, recoveries...)
}

// message returns the reasons and the suggested fixes of an error for JSON, each as one string.
func (v *View) message(err error) (message, recovery string) {
	var messages, recoveries []string
	seen := make(map[string]bool)
	for _, one := range splitErrors(err) {
		f := asFault(one)
		messages = append(messages, v.plain(reason(f)))
		if r := v.plain(f.Recovery); r != "" && !seen[r] {
			seen[r] = true
			recoveries = append(recoveries, r)
		}
	}
	return strings.Join(messages, " "), strings.Join(recoveries, " ")
}

// reason returns the failed operation and the cause as one message.
func reason(f *fault.Fault) i18n.Message {
	why := f.Reason
	if why.IsZero() && f.Unwrap() != nil {
		why = i18n.M("{{.Error}}", "Error", f.Unwrap().Error())
	}
	switch {
	case f.Op.IsZero():
		return why
	case why.IsZero():
		return i18n.M("{{.Operation}} failed.", "Operation", f.Op)
	}
	return i18n.M("{{.Operation}}: {{.Reason}}", "Operation", f.Op, "Reason", why)
}

// splitErrors returns the errors that errors.Join has joined, recursively.
func splitErrors(err error) []error {
	if _, ok := errors.AsType[*fault.Fault](err); ok {
		if _, joined := err.(interface{ Unwrap() []error }); !joined {
			return []error{err}
		}
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []error
		for _, one := range joined.Unwrap() {
			all = append(all, splitErrors(one)...)
		}
		return all
	}
	return []error{err}
}

// asFault returns the Fault in an error, or converts the error into a Fault. It replaces the error texts of package
// context, which are not meant for users.
func asFault(err error) *fault.Fault {
	var f *fault.Fault
	if !errors.As(err, &f) {
		f = fault.New(fault.KindOf(err), i18n.M("{{.Error}}", "Error", err.Error()), i18n.M("Try again later. Set IBMCLOUD_TRACE=true to show the requests."))
	} else if !f.Recovery.IsZero() {
		return f
	}
	c := *f
	switch {
	case errors.Is(err, context.Canceled):
		c.Reason, c.Recovery = i18n.M("Interrupted."), i18n.M("Rerun the command; it resumes where it stopped.")
	case errors.Is(err, context.DeadlineExceeded):
		c.Reason, c.Recovery = i18n.M("Timed out."), i18n.M("Try again later.")
	}
	return &c
}

// tail returns the last n lines.
func tail(lines []string, n int) []string {
	if len(lines) > n {
		return lines[len(lines)-n:]
	}
	return lines
}
