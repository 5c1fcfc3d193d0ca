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

// blockingWait is how long an answer to a blocking invocation may take: OpenWhisk ends the wait after 60 s, and the
// gateway in front of it needs its share.
const blockingWait = 90 * time.Second

// maxLogLines bounds the log lines that are kept of an activation: the last ones.
const maxLogLines = 1000

// record is an activation as the API gives it. Result and logs are taken as they come.
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

// invoke runs an action and waits as long as the service does. The whole activation is asked for (result=false), so
// that the id, status and logs of a failed run are known: a failed run is an activation, not an error. It is repeated
// only when it certainly was not started.
func (c *Client) invoke(ctx context.Context, pkg, name string, payload any) (entity.Activation, error) {
	if err := checkNames(pkg, name); err != nil {
		return entity.Activation{}, err
	}
	about := subject{"action", pkg + "/" + name}
	call := transport.With(ctx, transport.Call{Timeout: blockingWait})
	a, err := c.raw(call, true, request{http.MethodPost, actionPath(pkg, name) + "?blocking=true&result=false", payload})
	if err != nil {
		return entity.Activation{}, err
	}
	var r record
	err = json.Unmarshal(a.body, &r)
	switch {
	case a.status == http.StatusAccepted && err == nil && activationID.MatchString(r.ActivationID):
		return entity.Activation{ID: r.ActivationID}, nil
	case a.status < 300 && (err != nil || r.Response == nil):
		return entity.Activation{}, unreadable(about, err)
	case a.status < 300:
	case (a.status == http.StatusBadGateway || a.status == http.StatusInternalServerError) && err == nil && r.Response != nil:
		// The developer's error, or a whisk internal error: an image that cannot be pulled is one or the other.
	default:
		return entity.Activation{}, c.refusal(ctx, about, a)
	}
	got := activation(r)
	got.Success = got.Success && a.status < 300 // whatever the body of an error says
	if got.Success || len(got.Logs) > 0 || got.ID == "" {
		return got, nil
	}
	// Logs are collected after the run. What cannot be had now must not hide the failure itself.
	if full, err := c.activation(ctx, got.ID); err == nil {
		got.Logs = full.Logs
	}
	return got, nil
}

// start runs an action and does not wait for its end: no gateway can end a wait that is not there.
func (c *Client) start(ctx context.Context, pkg, name string, payload any) (entity.Activation, error) {
	if err := checkNames(pkg, name); err != nil {
		return entity.Activation{}, err
	}
	about := subject{"action", pkg + "/" + name}
	a, err := c.call(ctx, about, request{http.MethodPost, actionPath(pkg, name), payload})
	if err != nil {
		return entity.Activation{}, err
	}
	var r record
	if err := json.Unmarshal(a.body, &r); err != nil || !activationID.MatchString(r.ActivationID) {
		return entity.Activation{}, unreadable(about, err)
	}
	return entity.Activation{ID: r.ActivationID}, nil
}

// activationID is the form of OpenWhisk's activation ids: a UUID without hyphens. Others are taken with what is
// harmless in a path.
var activationID = text.NewPattern(`^[0-9A-Za-z-]{1,64}$`)

// activation reads the record of a run; fault.NotFound until it is written.
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
	a, err := c.send(ctx, ns, request{http.MethodGet, "activations/" + id, nil})
	if err != nil {
		return entity.Activation{}, err
	}
	if a.status >= 300 {
		return entity.Activation{}, c.refusal(ctx, about, a)
	}
	var r record
	if err := json.Unmarshal(a.body, &r); err != nil || r.Response == nil {
		return entity.Activation{}, unreadable(about, err)
	}
	got := activation(r)
	got.ID = id
	return got, nil
}

// statuses are the words for the status codes of a response, in their order.
var statuses = []string{"success", "application error", "action developer error", "whisk internal error"}

func activation(r record) entity.Activation {
	e := entity.Activation{
		Done:       true,
		StatusCode: r.StatusCode,
		Start:      milliseconds(r.Start),
		DurationMS: r.Duration,
		InitMS:     number(r.Annotations, "initTime"),
		WaitMS:     number(r.Annotations, "waitTime"),
	}
	if r.Response != nil {
		e.Success, e.Result = r.Response.Success, r.Response.Result
		e.Status = text.Line(r.Response.Status, 100)
		// Records give the status as a word, lists as a number; one makes up for the other.
		e.StatusCode = cmp.Or(r.Response.StatusCode, r.StatusCode)
	} else {
		e.Success = r.StatusCode == 0
	}
	if activationID.MatchString(r.ActivationID) {
		e.ID = r.ActivationID
	}
	for code, word := range statuses {
		if e.StatusCode == 0 && e.Status == word {
			e.StatusCode = code
		}
		if e.Status == "" && e.StatusCode == code {
			e.Status = word
		}
	}
	for _, line := range r.Logs[max(0, len(r.Logs)-maxLogLines):] {
		e.Logs = append(e.Logs, logLine(line))
	}
	describe(&e, r.Annotations)
	return e
}

// maxLogLine bounds a line of a log, in bytes.
const maxLogLine = 4 << 10

// logLine makes a line printable, and leaves the blanks that it begins with: they are what a traceback is read by.
func logLine(line string) string {
	if len(line) > maxLogLine {
		line = line[:maxLogLine] + "..."
	}
	return text.Printable(line)
}

func number(kv whisk.KeyValueArr, key string) int64 {
	for _, x := range kv {
		if n, ok := x.Value.(float64); ok && x.Key == key {
			return int64(n)
		}
	}
	return 0
}
