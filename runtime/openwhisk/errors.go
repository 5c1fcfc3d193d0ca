package openwhisk

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/text"
	"fn-runtime/runtime/transport"
)

// subject is the resource that a request is about, for error messages.
type subject struct {
	kind string // "namespace", "package", "action", "activation", "activations"
	name string
}

func (s subject) message() i18n.Message {
	switch s.kind {
	case "package":
		return i18n.M("package {{.Name}}", "Name", s.name)
	case "action":
		return i18n.M("action {{.Name}}", "Name", s.name)
	case "activations":
		return i18n.M("the activations")
	case "activation":
		return i18n.M("activation {{.Name}}", "Name", s.name)
	}
	if s.name == "" {
		return i18n.M("the namespaces")
	}
	return i18n.M("namespace {{.Name}}", "Name", s.name)
}

// responseError returns the fault for an error response. It contains the error message and transaction ID of the
// server and a remedy for the status.
func (c *Client) responseError(ctx context.Context, about subject, resp response) error {
	if resp.status == http.StatusForbidden && about.kind != "namespace" {
		if err := c.checkKeyOwner(ctx); err != nil {
			return err
		}
	}
	kind := transport.KindOfStatus(resp.status)
	message, transaction := errorMessage(resp)
	if kind == fault.NotFound && !json.Valid(resp.body) { // OpenWhisk itself returns JSON
		return fault.New(fault.Unavailable,
			i18n.M("No OpenWhisk API was found at {{.URL}}: {{.Words}}", "URL", c.base.String(), "Words", message),
			i18n.M("Check the endpoint and the region."))
	}
	var reason i18n.Message
	if resp.status == http.StatusNotFound {
		reason = i18n.M("The compute service did not find {{.Subject}}: {{.Words}}", "Subject", about.message(), "Words", message)
	} else {
		reason = i18n.M("The compute service returned status {{.Status}} for {{.Subject}}: {{.Words}}",
			"Status", resp.status, "Subject", about.message(), "Words", message)
	}
	f := fault.New(kind, reason, c.remedy(resp.status, about))
	if transaction != "" {
		f = f.With("transaction " + transaction)
	}
	return f
}

func (c *Client) remedy(status int, about subject) i18n.Message {
	switch {
	case status == http.StatusNotFound && about.kind == "action":
		return i18n.M("List the deployed runtimes with 'ibmcloud fn-runtime list'.")
	case status == http.StatusNotFound:
		return i18n.M("Check the namespace and the region.")
	case status == http.StatusRequestEntityTooLarge:
		return i18n.M("The handler archive is too large for the service. Remove everything that is not part of Lithops from the Lithops directory.")
	}
	return transport.RemedyOfStatus(status, c.loginHint)
}

// transactionID matches the transaction IDs of OpenWhisk. Other values are not shown.
var transactionID = text.NewPattern(`^[0-9A-Za-z_-]{1,64}$`)

// errorMessage returns the error message of a response with printable characters only, and its transaction ID.
// OpenWhisk returns {"error", "code"}, or {"response":{"result":{"error"}}} for failed actions. The namespaces API of
// IBM returns {"message"} or {"errors":[{"message"}]}.
func errorMessage(resp response) (message, transaction string) {
	var body struct {
		Error   any    `json:"error"`
		Message string `json:"message"`
		Code    any    `json:"code"`
		Trace   string `json:"trace"`
		Errors  []struct {
			Message string `json:"message"`
		} `json:"errors"`
	}
	if json.Unmarshal(resp.body, &body) == nil {
		message = errorText(body.Error)
		if message == "" {
			message = body.Message
		}
		if message == "" && len(body.Errors) > 0 {
			message = body.Errors[0].Message
		}
		switch code := body.Code.(type) {
		case string:
			transaction = code
		case float64:
			transaction = strconv.FormatFloat(code, 'f', -1, 64)
		}
	} else if !json.Valid(resp.body) {
		message = string(resp.body)
	}
	if transaction == "" {
		transaction = resp.header.Get("X-Request-Id")
	}
	if !transactionID.MatchString(transaction) {
		transaction = ""
	}
	message = text.Line(message, 400)
	if message == "" {
		message = http.StatusText(resp.status)
	}
	if message == "" {
		message = strconv.Itoa(resp.status)
	}
	if last := message[len(message)-1]; last != '.' && last != '!' && last != '?' {
		message += "."
	}
	return message, transaction
}

// errorText returns the text of an "error" field, which is a string or an object that contains a string.
func errorText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case map[string]any:
		for _, name := range []string{"message", "error", "errorMessage"} {
			if s, ok := v[name].(string); ok {
				return s
			}
		}
	}
	return ""
}

// unreadableResponse returns the fault for a successful response whose body does not match the API.
func unreadableResponse(about subject, err error) error {
	return fault.New(fault.Unavailable,
		i18n.M("The compute service's response for {{.Subject}} cannot be read.", "Subject", about.message()),
		i18n.M("Check the endpoint and any proxy or gateway in front of it, then retry.")).Because(err)
}
