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

// detailLines bounds the lines from elsewhere that an error shows.
const detailLines = 40

// Fail shows an error once: FAILED, what went wrong and why, and what to do now, on Err; with JSON the error document
// on Out. doc is the document of what was done before the error, nil for none; it must marshal to a JSON object.
func (v *View) Fail(err error, doc any) {
	if v.JSON {
		v.failJSON(err, doc)
		return
	}
	v.Failed()
	for _, line := range v.explain(err) {
		v.err().prose(line)
	}
}

// IncorrectUsage shows an error of the command line: the reason, one line of usage, and the command line that says more.
func (v *View) IncorrectUsage(err error, usage, help string) {
	v.Failed()
	head := v.Texts.Say(i18n.M("Incorrect Usage."))
	for _, line := range v.explain(err) {
		v.err().prose(strings.TrimSpace(head + gapAfter(head) + line))
		head = ""
	}
	v.err().prose(v.Texts.Say(i18n.M("USAGE:")) + " " + v.program(usage))
	v.err().prose(v.errText(i18n.M("See '{{.Command}}'.", "Command", help)))
}

// gapAfter stands between two sentences: a blank, but not behind a full stop that is as wide as two characters.
func gapAfter(before string) string {
	if strings.HasSuffix(before, "\u3002") {
		return ""
	}
	return " "
}

// Failed writes the word alone.
func (v *View) Failed() {
	v.endProgress()
	fmt.Fprintln(v.Err, paint(v.ErrColour, failure, v.Texts.Say(i18n.M("FAILED"))))
}

// explain returns the lines of an error: for each fault in it the reason, its details and then the ways out, none twice.
func (v *View) explain(err error) []string {
	var lines, ways []string
	seen := make(map[string]bool)
	for _, one := range split(err) {
		f := asFault(one)
		lines = append(lines, v.errText(reason(f)))
		for _, d := range tail(f.Details, detailLines) {
			lines = append(lines, "   "+text.Printable(text.StripUserInfo(d)))
		}
		if way := v.errText(f.Recovery); way != "" && !seen[way] {
			seen[way] = true
			ways = append(ways, way)
		}
	}
	return append(lines, ways...)
}

// message is the error in one text, for JSON.
func (v *View) message(err error) (message, recovery string) {
	var messages, ways []string
	seen := make(map[string]bool)
	for _, one := range split(err) {
		f := asFault(one)
		messages = append(messages, v.plain(reason(f)))
		if way := v.plain(f.Recovery); way != "" && !seen[way] {
			seen[way] = true
			ways = append(ways, way)
		}
	}
	return strings.Join(messages, " "), strings.Join(ways, " ")
}

// reason is what was being done and why it failed, in one message.
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

// split takes errors.Join apart.
func split(err error) []error {
	if _, ok := errors.AsType[*fault.Fault](err); ok {
		if _, joined := err.(interface{ Unwrap() []error }); !joined {
			return []error{err}
		}
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []error
		for _, one := range joined.Unwrap() {
			all = append(all, split(one)...)
		}
		return all
	}
	return []error{err}
}

// asFault finds the Fault of an error, or makes one of it. The words of Go's context package are not for people.
func asFault(err error) *fault.Fault {
	var f *fault.Fault
	if !errors.As(err, &f) {
		f = fault.New(fault.KindOf(err), i18n.M("{{.Error}}", "Error", err.Error()), i18n.M("Try again later. Set IBMCLOUD_TRACE=true to show the requests."))
	} else if !f.Recovery.IsZero() {
		return f
	}
	said := *f
	switch {
	case errors.Is(err, context.Canceled):
		said.Reason, said.Recovery = i18n.M("Interrupted."), i18n.M("Rerun the command; it resumes where it stopped.")
	case errors.Is(err, context.DeadlineExceeded):
		said.Reason, said.Recovery = i18n.M("Timed out."), i18n.M("Try again later.")
	}
	return &said
}

// tail keeps the last n.
func tail(lines []string, n int) []string {
	if len(lines) > n {
		return lines[len(lines)-n:]
	}
	return lines
}
