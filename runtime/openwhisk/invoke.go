package openwhisk

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/apache/openwhisk-client-go/whisk"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/text"
	"fn-runtime/runtime/transport"
)

// blockingWait is the timeout of a blocking invocation. OpenWhisk itself ends the wait after 60 s. The additional
// time is for the gateway in front of it.
const blockingWait = 90 * time.Second

// maxLogLines is the maximum number of log lines of an activation. The last lines are kept.
const maxLogLines = 1000

// record is an activation record of the API. Result and logs are not interpreted.
type record struct {
	ActivationID string `json:"activationId"`
	Start        int64  `json:"start"`
	Duration     int64  `json:"duration"`
	StatusCode   int    `json:"statusCode"`
	Response     *struct {
		Status     string          `json:"status"`
		StatusCode int             `json:"statusCode"`
		Success    bool            `json:"success"`
		Result     json.RawMessage `json:"result"`
	} `json:"response"`
	Logs        []string          `json:"logs"`
	Annotations whisk.KeyValueArr `json:"annotations"`
}

// invoke runs an action and waits for the result as long as the service does. It requests the complete activation
// (result=false), which contains the ID, status and logs of a failed run. A failed run is an activation, not an
// error. The request is retried only if the action was certainly not started.
func (c *Client) invoke(ctx context.Context, pkg, name string, payload any) (entity.Activation, error) {
	if err := checkNames(pkg, name); err != nil {
		return entity.Activation{}, err
	}
	about := subject{"action", pkg + "/" + name}
	call := transport.With(ctx, transport.Call{Timeout: blockingWait})
	resp, err := c.sendInNamespace(call, true, request{http.MethodPost, actionPath(pkg, name) + "?blocking=true&result=false", payload})
	if err != nil {
		return entity.Activation{}, err
	}
	var r record
	err = json.Unmarshal(resp.body, &r)
	switch {
	case resp.status == http.StatusAccepted && err == nil && activationID.MatchString(r.ActivationID):
		return entity.Activation{ID: r.ActivationID}, nil
	case resp.status < 300 && (err != nil || r.Response == nil):
		return entity.Activation{}, unreadableResponse(about, err)
	case resp.status < 300:
	case (resp.status == http.StatusBadGateway || resp.status == http.StatusInternalServerError) && err == nil && r.Response != nil:
		// An error of the action, or a whisk internal error. A failed image pull may be reported as either.
	default:
		return entity.Activation{}, c.responseError(ctx, about, resp)
	}
	got := toActivation(r)
	got.Success = got.Success && resp.status < 300 // also if the body of an error response reports success
	if got.Success || len(got.Logs) > 0 || got.ID == "" {
		return got, nil
	}
	// Logs are collected after the run. An error while reading them must not hide the failure of the run.
	if full, err := c.activation(ctx, got.ID); err == nil {
		got.Logs = full.Logs
	}
	return got, nil
}

// invokeAsync runs an action without waiting for its end, so no gateway can time out.
func (c *Client) invokeAsync(ctx context.Context, pkg, name string, payload any) (entity.Activation, error) {
	if err := checkNames(pkg, name); err != nil {
		return entity.Activation{}, err
	}
	about := subject{"action", pkg + "/" + name}
	resp, err := c.call(ctx, about, request{http.MethodPost, actionPath(pkg, name), payload})
	if err != nil {
		return entity.Activation{}, err
	}
	var r record
	if err := json.Unmarshal(resp.body, &r); err != nil || !activationID.MatchString(r.ActivationID) {
		return entity.Activation{}, unreadableResponse(about, err)
	}
	return entity.Activation{ID: r.ActivationID}, nil
}

// activationID matches the activation IDs of OpenWhisk, which are UUIDs without hyphens. It also accepts other IDs
// that are safe in a path.
var activationID = text.NewPattern(`^[0-9A-Za-z-]{1,64}$`)

// activation returns the record of an activation. It returns a fault.NotFound error until the record has been
// written.
func (c *Client) activation(ctx context.Context, id string) (entity.Activation, error) {
	if !activationID.MatchString(id) {
		return entity.Activation{}, fault.New(fault.Invalid,
			i18n.M("{{.ID}} is not a valid activation ID.", "ID", text.Line(id, 100)), i18n.Message{})
	}
	about := subject{"activation", id}
	ns, err := c.namespace(ctx)
	if err != nil {
		return entity.Activation{}, err
	}
	resp, err := c.send(ctx, ns, request{http.MethodGet, "activations/" + id, nil})
	if err != nil {
		return entity.Activation{}, err
	}
	if resp.status >= 300 {
		return entity.Activation{}, c.responseError(ctx, about, resp)
	}
	var r record
	if err := json.Unmarshal(resp.body, &r); err != nil || r.Response == nil {
		return entity.Activation{}, unreadableResponse(about, err)
	}
	got := toActivation(r)
	got.ID = id
	return got, nil
}

// statuses holds the status texts in the order of their codes.
var statuses = []string{"success", "application error", "action developer error", "whisk internal error"}

// toActivation converts an activation record of the API.
func toActivation(r record) entity.Activation {
	e := entity.Activation{
		Done:       true,
		StatusCode: r.StatusCode,
		Start:      milliseconds(r.Start),
		DurationMS: r.Duration,
		InitMS:     numberOf(r.Annotations, "initTime"),
		WaitMS:     numberOf(r.Annotations, "waitTime"),
	}
	if r.Response != nil {
		e.Success, e.Result = r.Response.Success, r.Response.Result
		e.Status = text.Line(r.Response.Status, 100)
		// Records contain the status text, lists the status code. The other value is derived from it.
		e.StatusCode = cmp.Or(r.Response.StatusCode, r.StatusCode)
	} else {
		e.Success = r.StatusCode == 0
	}
	if activationID.MatchString(r.ActivationID) {
		e.ID = r.ActivationID
	}
	for code, status := range statuses {
		if e.StatusCode == 0 && e.Status == status {
			e.StatusCode = code
		}
		if e.Status == "" && e.StatusCode == code {
			e.Status = status
		}
	}
	for _, line := range r.Logs[max(0, len(r.Logs)-maxLogLines):] {
		e.Logs = append(e.Logs, logLine(line))
	}
	applyAnnotations(&e, r.Annotations)
	return e
}

// maxLogLine is the maximum length of a log line, in bytes.
const maxLogLine = 4 << 10

// logLine replaces the characters of a line that are not printable. It keeps leading spaces, which tracebacks need.
func logLine(line string) string {
	if len(line) > maxLogLine {
		line = line[:maxLogLine] + "..."
	}
	return text.Printable(line)
}

func numberOf(kv whisk.KeyValueArr, key string) int64 {
	for _, x := range kv {
		if n, ok := x.Value.(float64); ok && x.Key == key {
			return int64(n)
		}
	}
	return 0
}
