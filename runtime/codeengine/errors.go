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

// subject is the resource that a request is about, for error messages.
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

// apiErrors is the body of an error response.
type apiErrors struct {
	Errors []struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	} `json:"errors"`
	Trace string `json:"trace"`
}

// traceID matches trace IDs. Other values are not shown.
var traceID = text.NewPattern(`^[0-9A-Za-z_-]{1,100}$`)

// errUnauthorized is the cause of faults for rejected tokens.
var errUnauthorized = errors.New("unauthorized")

// responseError returns the fault for an error response. It contains the error message and trace ID of the server and
// a remedy for the status.
func (c *Client) responseError(about subject, status int, body []byte) error {
	var response apiErrors
	err := json.Unmarshal(body, &response)
	kind := transport.KindOfStatus(status)
	switch {
	case quotaReached(response):
		kind = fault.Failed // for every status
	case status == http.StatusPreconditionFailed: // the entity tag in If-Match is outdated
		kind = fault.Conflict
	}
	message := errorMessage(response, status)
	if kind == fault.NotFound && (err != nil || len(response.Errors) == 0) { // 404 responses of the API contain errors
		return fault.New(fault.Unavailable,
			i18n.M("No Code Engine API was found at {{.URL}}: {{.Words}}", "URL", c.base.String(), "Words", message),
			i18n.M("Check the endpoint and the region."))
	}
	var reason i18n.Message
	if status == http.StatusNotFound {
		reason = i18n.M("The compute service did not find {{.Subject}}: {{.Words}}", "Subject", about.message(), "Words", message)
	} else {
		reason = i18n.M("The compute service returned status {{.Status}} for {{.Subject}}: {{.Words}}", "Status", status, "Subject", about.message(), "Words", message)
	}
	f := fault.New(kind, reason, c.remedy(status, response, about))
	if status == http.StatusUnauthorized {
		f = f.Because(errUnauthorized)
	}
	if traceID.MatchString(response.Trace) {
		f = f.With("trace " + response.Trace)
	}
	return f
}

// errorMessage returns the error message of the server as a sentence with printable characters only.
func errorMessage(response apiErrors, status int) string {
	message := ""
	if len(response.Errors) > 0 {
		message = text.Line(response.Errors[0].Message, 400)
		if message == "" {
			message = text.Line(response.Errors[0].Code, 100)
		}
	}
	if message == "" {
		message = http.StatusText(status)
	}
	if message == "" {
		return "?"
	}
	if last := message[len(message)-1]; last != '.' && last != '!' && last != '?' {
		message += "."
	}
	return message
}

func (c *Client) remedy(status int, response apiErrors, about subject) i18n.Message {
	switch {
	case quotaReached(response):
		return i18n.M("Delete the resources left by earlier jobs with 'ibmcloud fn-runtime clean'. 'ibmcloud fn-runtime doctor' shows the usage of each quota.")
	case status == http.StatusNotFound && about.kind == "job" && about.name != "":
		return i18n.M("List the deployed runtimes with 'ibmcloud fn-runtime list'.")
	case status == http.StatusNotFound:
		return i18n.M("Check the project and the region.")
	case status == http.StatusPreconditionFailed: // the entity tag in If-Match is outdated
		status = http.StatusConflict
	case status == http.StatusRequestEntityTooLarge, status == http.StatusBadRequest && about.kind == "config map":
		return i18n.M("The Lithops code is too large for a config map. Use an image that contains the code, and deploy it with '--code image'.")
	}
	return transport.RemedyOfStatus(status, c.loginHint)
}

// quotaReached reports whether an error response is about a quota. The error code is not documented, so the function
// searches the code and the message.
func quotaReached(response apiErrors) bool {
	for _, e := range response.Errors {
		if quotaWord.MatchString(e.Code) || quotaWord.MatchString(e.Message) {
			return true
		}
	}
	return false
}

var quotaWord = text.NewPattern(`(?i)\bquota|quota_|limit[ _](of|exceeded|reached)`)

// unreadableResponse returns the fault for a successful response whose body does not match the API.
func unreadableResponse(about subject, err error) error {
	return fault.New(fault.Unavailable,
		i18n.M("The compute service's response for {{.Subject}} cannot be read.", "Subject", about.message()),
		i18n.M("Check the endpoint and any proxy or gateway in front of it, then retry.")).Because(err)
}
