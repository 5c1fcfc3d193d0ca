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

// subject is what a request is about.
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

// refusal is the fault for an answer that is no success: what the server says in its own words, its transaction, and
// what to do by status.
func (c *Client) refusal(ctx context.Context, about subject, a answer) error {
	if a.status == http.StatusForbidden && about.kind != "namespace" {
		if err := c.foreign(ctx); err != nil {
			return err
		}
	}
	kind := transport.KindOfStatus(a.status)
	words, transaction := serversWords(a)
	if kind == fault.NotFound && !json.Valid(a.body) { // OpenWhisk's own 404 is JSON: this one says nothing about the subject
		return fault.New(fault.Unavailable,
			i18n.M("No OpenWhisk API was found at {{.URL}}: {{.Words}}", "URL", c.base.String(), "Words", words),
			i18n.M("Check the endpoint and the region."))
	}
	var reason i18n.Message
	if a.status == http.StatusNotFound {
		reason = i18n.M("The compute service did not find {{.Subject}}: {{.Words}}", "Subject", about.message(), "Words", words)
	} else {
		reason = i18n.M("The compute service returned status {{.Status}} for {{.Subject}}: {{.Words}}",
			"Status", a.status, "Subject", about.message(), "Words", words)
	}
	f := fault.New(kind, reason, c.remedy(a.status, about))
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

// transactionForm is what OpenWhisk's transaction ids look like; anything else is not repeated.
var transactionForm = text.NewPattern(`^[0-9A-Za-z_-]{1,64}$`)

// serversWords returns the error text of an answer, made printable. OpenWhisk has {"error", "code"}, IBM's namespaces
// {"message"} or {"errors":[{"message"}]}, and {"response":{"result":{"error"}}} is a failed action's.
func serversWords(a answer) (words, transaction string) {
	var body struct {
		Error   any    `json:"error"`
		Message string `json:"message"`
		Code    any    `json:"code"`
		Trace   string `json:"trace"`
		Errors  []struct {
			Message string `json:"message"`
		} `json:"errors"`
	}
	if json.Unmarshal(a.body, &body) == nil {
		words = errorText(body.Error)
		if words == "" {
			words = body.Message
		}
		if words == "" && len(body.Errors) > 0 {
			words = body.Errors[0].Message
		}
		switch code := body.Code.(type) {
		case string:
			transaction = code
		case float64:
			transaction = strconv.FormatFloat(code, 'f', -1, 64)
		}
	} else if !json.Valid(a.body) {
		words = string(a.body)
	}
	if transaction == "" {
		transaction = a.header.Get("X-Request-Id")
	}
	if !transactionForm.MatchString(transaction) {
		transaction = ""
	}
	words = text.Line(words, 400)
	if words == "" {
		words = http.StatusText(a.status)
	}
	if words == "" {
		words = strconv.Itoa(a.status)
	}
	if last := words[len(words)-1]; last != '.' && last != '!' && last != '?' {
		words += "."
	}
	return words, transaction
}

// errorText returns the text of an "error" field: a text, or an object that holds one.
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

// unreadable is the fault for a success whose body is not what the API promises.
func unreadable(about subject, err error) error {
	return fault.New(fault.Unavailable,
		i18n.M("The compute service's response for {{.Subject}} cannot be read.", "Subject", about.message()),
		i18n.M("Check the endpoint and any proxy or gateway in front of it, then retry.")).Because(err)
}
