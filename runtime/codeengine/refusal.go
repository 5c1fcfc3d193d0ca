package codeengine

import (
	"encoding/json"
	"errors"
	"net/http"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/text"
	"fn-runtime/runtime/transport"
)

// subject is what a request is about.
type subject struct {
	kind string // "project", "job", "job run", "config map", "secret"
	name string // "" for a list
}

func (s subject) message() i18n.Message {
	switch {
	case s.kind == "project" && s.name == "":
		return i18n.M("the projects")
	case s.kind == "job" && s.name == "":
		return i18n.M("the jobs")
	case s.kind == "job run" && s.name == "":
		return i18n.M("the job runs")
	case s.kind == "config map" && s.name == "":
		return i18n.M("the config maps")
	case s.kind == "secret" && s.name == "":
		return i18n.M("the secrets")
	case s.kind == "project":
		return i18n.M("project {{.Name}}", "Name", s.name)
	case s.kind == "job":
		return i18n.M("job {{.Name}}", "Name", s.name)
	case s.kind == "job run":
		return i18n.M("job run {{.Name}}", "Name", s.name)
	case s.kind == "config map":
		return i18n.M("config map {{.Name}}", "Name", s.name)
	}
	return i18n.M("secret {{.Name}}", "Name", s.name)
}

// apiErrors is the body of a refusal.
type apiErrors struct {
	Errors []struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	} `json:"errors"`
	Trace string `json:"trace"`
}

// traceForm is what trace ids look like; anything else is not repeated.
var traceForm = text.NewPattern(`^[0-9A-Za-z_-]{1,100}$`)

// errUnauthorized is the cause where the token is not taken, whatever it is wanted for.
var errUnauthorized = errors.New("unauthorized")

// refusal is the fault for an answer that is no success: what the server says in its own words, its trace id, and what to
// do by status.
func (c *Client) refusal(about subject, status int, body []byte) error {
	var said apiErrors
	err := json.Unmarshal(body, &said)
	kind := transport.KindOfStatus(status)
	switch {
	case quotaReached(said):
		kind = fault.Failed // whatever its status
	case status == http.StatusPreconditionFailed: // If-Match names what is not there any more
		kind = fault.Conflict
	}
	words := wordsOf(said, status)
	if kind == fault.NotFound && (err != nil || len(said.Errors) == 0) { // the API's own 404 says what is missing
		return fault.New(fault.Unavailable,
			i18n.M("There is no Code Engine API at {{.URL}}: {{.Words}}", "URL", c.base.String(), "Words", words),
			i18n.M("Check the endpoint and the region."))
	}
	var reason i18n.Message
	if status == http.StatusNotFound {
		reason = i18n.M("The compute service did not find {{.Subject}}: {{.Words}}", "Subject", about.message(), "Words", words)
	} else {
		reason = i18n.M("The compute service returned status {{.Status}} for {{.Subject}}: {{.Words}}", "Status", status, "Subject", about.message(), "Words", words)
	}
	f := fault.New(kind, reason, c.remedy(status, said, about))
	if status == http.StatusUnauthorized {
		f = f.Because(errUnauthorized)
	}
	if traceForm.MatchString(said.Trace) {
		f = f.With("trace " + said.Trace)
	}
	return f
}

// wordsOf returns the server's words as a sentence, made printable.
func wordsOf(said apiErrors, status int) string {
	words := ""
	if len(said.Errors) > 0 {
		words = text.Line(said.Errors[0].Message, 400)
		if words == "" {
			words = text.Line(said.Errors[0].Code, 100)
		}
	}
	if words == "" {
		words = http.StatusText(status)
	}
	if words == "" {
		return "?"
	}
	if last := words[len(words)-1]; last != '.' && last != '!' && last != '?' {
		words += "."
	}
	return words
}

func (c *Client) remedy(status int, said apiErrors, about subject) i18n.Message {
	switch {
	case quotaReached(said):
		return i18n.M("Delete the resources left by earlier jobs with 'ibmcloud fn-runtime clean'. 'ibmcloud fn-runtime doctor' shows the usage of each quota.")
	case status == http.StatusNotFound && about.kind == "job" && about.name != "":
		return i18n.M("List the deployed runtimes with 'ibmcloud fn-runtime list'.")
	case status == http.StatusNotFound:
		return i18n.M("Check the project and the region.")
	case status == http.StatusPreconditionFailed: // If-Match names what is not there any more
		status = http.StatusConflict
	case status == http.StatusRequestEntityTooLarge, status == http.StatusBadRequest && about.kind == "config map":
		return i18n.M("The Lithops code is too large for a config map. Use an image that contains the code, and deploy it with '--code image'.")
	}
	return transport.RemedyOfStatus(status, c.loginHint)
}

// quotaReached reports whether a refusal is that of a quota. Its code has been seen nowhere: it is taken from its words.
func quotaReached(said apiErrors) bool {
	for _, e := range said.Errors {
		if quotaWord.MatchString(e.Code) || quotaWord.MatchString(e.Message) {
			return true
		}
	}
	return false
}

var quotaWord = text.NewPattern(`(?i)\bquota|quota_|limit[ _](of|exceeded|reached)`)

// unreadable is the fault for a success whose body is not what the API promises.
func unreadable(about subject, err error) error {
	return fault.New(fault.Unavailable,
		i18n.M("The compute service's response for {{.Subject}} cannot be read.", "Subject", about.message()),
		i18n.M("Check the endpoint and any proxy or gateway in front of it, then retry.")).Because(err)
}
