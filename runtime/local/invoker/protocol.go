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

// resultLimit is how large the result of an activation may be: OpenWhisk's default, 1 MB.
const resultLimit = 1 << 20

// shown is how much of a result beyond the limit its error tells, in bytes.
const shown = 1000

// What OpenWhisk says, word for word: common/scala/.../http/ErrorResponse.scala.
const (
	abnormalInit    = "The action did not initialize and exited unexpectedly."
	abnormalRun     = "The action did not produce a valid response and exited unexpectedly."
	memoryExhausted = "The action exhausted its memory and was aborted."
	logsIncomplete  = "There was an issue while collecting your logs. Data might be missing."
)

func timeExceeded(limit time.Duration, init bool) string {
	if init {
		return fmt.Sprintf("The action exceeded its time limits of %d milliseconds during initialization.", limit.Milliseconds())
	}
	return fmt.Sprintf("The action exceeded its time limits of %d milliseconds.", limit.Milliseconds())
}

// client speaks HTTP with the proxy of one sandbox.
func client(s sandbox.Sandbox) *http.Client {
	return &http.Client{Transport: &http.Transport{
		DialContext:        func(ctx context.Context, _, _ string) (net.Conn, error) { return s.Dial(ctx) },
		DisableCompression: true,
		MaxConnsPerHost:    1,
		MaxIdleConns:       1,
	}}
}

// answer is what a proxy said: at most resultLimit bytes of it, and how many there were as far as it told.
type answer struct {
	status int
	body   []byte
	size   int64 // larger than resultLimit: body is cut
}

func post(ctx context.Context, c *http.Client, path string, body []byte) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://action"+path, bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	req.GetBody = nil // an activation is never sent twice
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, resultLimit+1))
	if err != nil {
		return answer{}, err
	}
	return answer{status: resp.StatusCode, body: b, size: max(int64(len(b)), resp.ContentLength)}, nil
}

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

// judge makes the outcome of an answer to /run, by the rules of OpenWhisk's ActivationResponse.processRunResponseContent.
func judge(a answer) invoke.Outcome {
	if a.size > resultLimit {
		return failure(invoke.ApplicationError, fmt.Sprintf("The action produced a response that exceeded the allowed length: %d > %d bytes. The truncated response was: %s",
			a.size, resultLimit, bytes.ToValidUTF8(a.body[:min(len(a.body), shown)], nil)))
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(a.body, &fields); err != nil || fields == nil {
		return failure(invoke.DeveloperError, "The action did not produce a valid JSON response: "+string(bytes.ToValidUTF8(a.body, []byte("\uFFFD"))))
	}
	said, isError := fields["error"]
	if isError {
		status := invoke.ApplicationError
		if a.status != http.StatusOK {
			status = invoke.DeveloperError
		}
		return invoke.Outcome{Status: status, Result: only("error", said)}
	}
	if a.status != http.StatusOK {
		return failure(invoke.DeveloperError, "The action did not produce a valid JSON response: "+string(a.body))
	}
	return invoke.Outcome{Status: invoke.Success, Result: a.body}
}

// judgeInit makes the outcome of an /init that failed.
func judgeInit(a answer) invoke.Outcome {
	var fields map[string]json.RawMessage
	if json.Unmarshal(a.body, &fields) == nil && fields["error"] != nil {
		return invoke.Outcome{Status: invoke.DeveloperError, Result: only("error", fields["error"])}
	}
	return failure(invoke.DeveloperError, "The action failed during initialization: "+string(bytes.ToValidUTF8(a.body[:min(len(a.body), 1000)], []byte("\uFFFD"))))
}

func failure(status invoke.Status, text string) invoke.Outcome {
	b, _ := json.Marshal(text)
	return invoke.Outcome{Status: status, Result: only("error", b)}
}

func only(key string, value json.RawMessage) json.RawMessage {
	b, err := json.Marshal(map[string]json.RawMessage{key: value})
	if err != nil { // value came out of a JSON document
		return json.RawMessage(`{"error":""}`)
	}
	return b
}

// broken makes the outcome of a request that got no answer.
func broken(err error, s sandbox.Sandbox, limit time.Duration, init bool) invoke.Outcome {
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
