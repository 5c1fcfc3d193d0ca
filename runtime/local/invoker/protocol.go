package invoker

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"fn-runtime/runtime/local/internal/sandbox"
	"fn-runtime/runtime/local/invoke"
)

// resultLimit is the maximum size of an activation's result in bytes: OpenWhisk's default, 1 MB.
const resultLimit = 1 << 20

// excerptLen is the length of the excerpt from an invalid or too large response in an error message, in bytes.
const excerptLen = 1000

// Error messages of OpenWhisk, verbatim. Source: common/scala/.../http/ErrorResponse.scala.
const (
	abnormalInit    = "The action did not initialize and exited unexpectedly."
	abnormalRun     = "The action did not produce a valid response and exited unexpectedly."
	memoryExhausted = "The action exhausted its memory and was aborted."
	logsIncomplete  = "There was an issue while collecting your logs. Data might be missing."
)

// timeExceeded returns OpenWhisk's error message for a timeout, of /init or of /run.
func timeExceeded(limit time.Duration, init bool) string {
	if init {
		return fmt.Sprintf("The action exceeded its time limits of %d milliseconds during initialization.", limit.Milliseconds())
	}
	return fmt.Sprintf("The action exceeded its time limits of %d milliseconds.", limit.Milliseconds())
}

// client returns an HTTP client for the proxy of a sandbox.
func client(s sandbox.Sandbox) *http.Client {
	return &http.Client{Transport: &http.Transport{
		DialContext:        func(ctx context.Context, _, _ string) (net.Conn, error) { return s.Dial(ctx) },
		DisableCompression: true,
		MaxConnsPerHost:    1,
		MaxIdleConns:       1,
	}}
}

// response is the response of a proxy.
type response struct {
	status int
	body   []byte // at most resultLimit+1 bytes
	size   int64  // full size in bytes, if announced; if it exceeds resultLimit, body is truncated
}

// post sends a request to the proxy. It never retries.
func post(ctx context.Context, c *http.Client, path string, body []byte) (response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://action"+path, bytes.NewReader(body))
	if err != nil {
		return response{}, err
	}
	req.GetBody = nil // prevents net/http from retrying: an activation must not run twice
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.Do(req)
	if err != nil {
		return response{}, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, resultLimit+1))
	if err != nil {
		return response{}, err
	}
	return response{status: resp.StatusCode, body: b, size: max(int64(len(b)), resp.ContentLength)}, nil
}

// initBody returns the body of the /init request.
func initBody(inv invoke.Invocation, code string) ([]byte, error) {
	main := inv.Main
	if main == "" {
		main = "main"
	}
	env := inv.Env
	if env == nil {
		env = map[string]string{}
	}
	return json.Marshal(map[string]any{"value": map[string]any{
		"name": inv.Action, "main": main, "code": code, "binary": inv.Binary, "env": env,
	}})
}

// runBody returns the body of the /run request.
func runBody(inv invoke.Invocation, deadline time.Time) ([]byte, error) {
	args := inv.Args
	if len(args) == 0 {
		args = json.RawMessage("{}")
	}
	name := "/" + inv.Namespace + "/" + inv.Action
	if inv.Package != "" {
		name = "/" + inv.Namespace + "/" + inv.Package + "/" + inv.Action
	}
	fields := map[string]any{
		"value": args, "namespace": inv.Namespace, "action_name": name, "activation_id": inv.ActivationID,
		"deadline": strconv.FormatInt(deadline.UnixMilli(), 10),
	}
	for field, value := range map[string]string{"api_key": inv.APIKey, "api_host": inv.APIHost,
		"transaction_id": inv.TransactionID, "action_version": inv.Version} {
		if value != "" {
			fields[field] = value
		}
	}
	return json.Marshal(fields)
}

// runOutcome converts a response to /run to an outcome, following the rules of OpenWhisk's
// ActivationResponse.processRunResponseContent.
func runOutcome(r response) invoke.Outcome {
	if r.size > resultLimit {
		return failure(invoke.ApplicationError, fmt.Sprintf("The action produced a response that exceeded the allowed length: %d > %d bytes. The truncated response was: %s",
			r.size, resultLimit, bytes.ToValidUTF8(r.body[:min(len(r.body), excerptLen)], nil)))
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(r.body, &fields); err != nil || fields == nil {
		return failure(invoke.DeveloperError, "The action did not produce a valid JSON response: "+string(bytes.ToValidUTF8(r.body, []byte("\uFFFD"))))
	}
	message, isError := fields["error"]
	if isError {
		status := invoke.ApplicationError
		if r.status != http.StatusOK {
			status = invoke.DeveloperError
		}
		return invoke.Outcome{Status: status, Result: errorResult(message)}
	}
	if r.status != http.StatusOK {
		return failure(invoke.DeveloperError, "The action did not produce a valid JSON response: "+string(r.body))
	}
	return invoke.Outcome{Status: invoke.Success, Result: r.body}
}

// initFailure returns the outcome of an /init request that failed.
func initFailure(r response) invoke.Outcome {
	var fields map[string]json.RawMessage
	if json.Unmarshal(r.body, &fields) == nil && fields["error"] != nil {
		return invoke.Outcome{Status: invoke.DeveloperError, Result: errorResult(fields["error"])}
	}
	return failure(invoke.DeveloperError, "The action failed during initialization: "+string(bytes.ToValidUTF8(r.body[:min(len(r.body), excerptLen)], []byte("\uFFFD"))))
}

// failure returns an outcome whose result is an error message.
func failure(status invoke.Status, text string) invoke.Outcome {
	b, _ := json.Marshal(text)
	return invoke.Outcome{Status: status, Result: errorResult(b)}
}

// errorResult returns the JSON object {"error": value}.
func errorResult(value json.RawMessage) json.RawMessage {
	b, err := json.Marshal(map[string]json.RawMessage{"error": value})
	if err != nil { // cannot happen: value is part of a valid JSON document
		return json.RawMessage(`{"error":""}`)
	}
	return b
}

// noResponse returns the outcome of a request that did not get a response.
func noResponse(err error, s sandbox.Sandbox, limit time.Duration, init bool) invoke.Outcome {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return failure(invoke.DeveloperError, timeExceeded(limit, init))
	case s.OutOfMemory():
		return failure(invoke.DeveloperError, memoryExhausted)
	case init:
		return failure(invoke.DeveloperError, abnormalInit)
	}
	return failure(invoke.DeveloperError, abnormalRun)
}
