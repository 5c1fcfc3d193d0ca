package rest

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"time"

	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/local/internal/state"
	"fn-runtime/runtime/local/invoke"
)

func (a *api) invoke(c call) error {
	q := c.r.URL.Query()
	blocking, err := boolParam(q, "blocking")
	if err != nil {
		return err
	}
	onlyResult, err := boolParam(q, "result")
	if err != nil {
		return err
	}
	wait := a.Wait
	if q.Has("timeout") {
		ms, err := strconv.Atoi(q.Get("timeout"))
		if err != nil || ms <= 0 || int64(ms) > a.Wait.Milliseconds() {
			return badRequest("The query parameter 'timeout' was malformed:\nTimeout must be number of milliseconds up to %d.", a.Wait.Milliseconds())
		}
		wait = time.Duration(ms) * time.Millisecond
	}
	args := map[string]json.RawMessage{}
	if err := a.decode(c, maxParameters, &args); err != nil {
		return err
	}
	if err := c.slot.Acquire(c.r.Context()); err != nil { // the parameters of the action and its package may be large
		return err
	}
	x, err := a.action(c)
	if err != nil {
		return err
	}
	inv, err := a.prepare(c, x, args)
	if err != nil {
		return err
	}
	c.slot.Release()
	done, err := a.start(inv, state.Activation{
		ID: inv.ActivationID, NamespaceID: c.ns.ID, Namespace: c.path, Package: x.Package, Action: x.Name, Version: x.Version,
		Kind: x.Kind, MemoryMB: x.MemoryMB, TimeoutMS: x.TimeoutMS, LogsMB: x.LogsMB, Concurrency: x.Concurrency, Start: a.Now().UnixMilli(),
		Work: lithopsWork(args),
	})
	if err != nil {
		return err
	}
	c.w.Header().Set("X-Openwhisk-Activation-Id", inv.ActivationID)
	accepted := map[string]string{"activationId": inv.ActivationID}
	if !blocking {
		a.respond(c, http.StatusAccepted, accepted)
		return nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case rec := <-done:
		if c.slot.Acquire(c.r.Context()) != nil { // the activation has ended: the client can read its record
			a.respond(c, http.StatusAccepted, accepted)
			return nil
		}
		status := http.StatusOK
		switch rec.StatusCode {
		case 1, 2:
			status = http.StatusBadGateway
		case 3:
			status = http.StatusInternalServerError
		}
		if onlyResult {
			a.respond(c, status, resultOf(rec))
		} else {
			rec.Logs = nil // as in OpenWhisk, which collects logs later; the record contains them
			a.respond(c, status, showActivation(rec))
		}
	case <-timer.C:
		a.respond(c, http.StatusAccepted, accepted)
	case <-c.r.Context().Done(): // the activation continues without the client
	}
	return nil
}

// prepare returns the invocation of an action. The parameters of the request override those of the action, which
// override those of the package.
func (a *api) prepare(c call, x state.Action, args map[string]json.RawMessage) (invoke.Invocation, error) {
	value := map[string]json.RawMessage{}
	defaults := []json.RawMessage{x.Parameters}
	if x.Package != "" {
		p, err := a.DB.Package(c.ns.ID, x.Package)
		if err != nil && !errors.Is(err, state.ErrNotFound) {
			return invoke.Invocation{}, err
		}
		defaults = []json.RawMessage{p.Parameters, x.Parameters}
	}
	for _, raw := range defaults {
		list, err := parseKeyValues(raw)
		if err != nil {
			return invoke.Invocation{}, err
		}
		for _, kv := range list {
			value[kv.Key] = kv.Value
		}
	}
	maps.Copy(value, args)
	data, err := json.Marshal(value)
	if err != nil {
		return invoke.Invocation{}, err
	}
	if len(data) > 2*maxParameters {
		return invoke.Invocation{}, tooLarge("Request", int64(len(data)), maxParameters)
	}
	id := make([]byte, 16)
	_, _ = rand.Read(id)
	return invoke.Invocation{
		ActivationID: hex.EncodeToString(id), TransactionID: c.w.Header().Get("X-Request-Id"),
		Namespace: c.path, NamespaceID: c.ns.ID, Package: x.Package, Action: x.Name, Version: x.Version, Revision: x.Revision,
		Kind: x.Kind, Image: x.Image, Main: x.Main, Binary: x.Binary,
		Code: func() (string, error) {
			if x.CodeHash == "" {
				return "", nil
			}
			return a.DB.Code(x.CodeHash)
		},
		MemoryMB: x.MemoryMB, LogsMB: x.LogsMB, TimeoutMS: x.TimeoutMS, Python: a.interpreter(x), Args: data,
		APIKey: a.apiKey(x), APIHost: a.APIHost, Deadline: a.Now().Add(time.Duration(x.TimeoutMS) * time.Millisecond), ExtraEnv: a.ExtraEnv,
	}, nil
}

func (a *api) interpreter(x state.Action) string {
	var path string
	if json.Unmarshal(annotationValue(x.Annotations, entity.NoteInterpreter), &path) == nil && isAbsolute(path) {
		return path
	}
	return a.Python
}

// apiKey returns the API key for the action's own requests, or "" if the action must not receive it.
func (a *api) apiKey(x state.Action) string {
	if string(annotationValue(x.Annotations, provideKey)) == "false" {
		return ""
	}
	return a.APIKey
}

// annotationValue returns the value of an annotation, or nil if it does not exist.
func annotationValue(annotations json.RawMessage, key string) json.RawMessage {
	list, _ := parseKeyValues(annotations)
	for _, kv := range list {
		if kv.Key == key {
			return kv.Value
		}
	}
	return nil
}

// start accepts an activation and runs it in the background. The returned channel receives the record of the activation
// once.
func (a *api) start(inv invoke.Invocation, rec state.Activation) (<-chan state.Activation, error) {
	end, err := a.acquireSlot(int64(len(inv.Args)))
	if err != nil {
		return nil, err
	}
	if err := a.DB.Accept(rec); err != nil {
		end()
		return nil, err
	}
	done := make(chan state.Activation, 1)
	go func() {
		defer end()
		rec, err := a.run(inv, rec)
		done <- rec
		if err != nil {
			a.recordLater(rec, err)
		}
	}()
	return done, nil
}

// acquireSlot reserves capacity for an activation with size bytes of parameters. It returns an error if the queue is
// full or the endpoint is stopping.
func (a *api) acquireSlot(size int64) (end func(), err error) {
	ended, ok := a.tasks.Begin()
	if !ok {
		return nil, &apiError{status: http.StatusServiceUnavailable, text: "The endpoint is stopping."}
	}
	if !a.queuedBytes.TryAcquire(size) {
		ended()
		return nil, &apiError{status: http.StatusTooManyRequests, text: fmt.Sprintf("Too many bytes of parameters in flight (allowed: %d).", a.QueueBytes), retryable: true}
	}
	select {
	case a.activationSlots <- struct{}{}:
	default:
		a.queuedBytes.Release(size)
		ended()
		return nil, &apiError{status: http.StatusTooManyRequests, text: fmt.Sprintf("Too many concurrent requests in flight (count: %d, allowed: %d).", len(a.activationSlots)+1, cap(a.activationSlots)), retryable: true}
	}
	return func() {
		<-a.activationSlots
		a.queuedBytes.Release(size)
		ended()
	}, nil
}

// recordLater retries until the outcome is on disk, because the disk may be full temporarily. Without a record, a
// client that polls for the outcome would wait forever. If the endpoint stops first, Recover records the activation as
// failed. The memory for unwritten results and logs is limited. If the limit is exceeded, the outcome is lost, and the
// record contains an error instead.
func (a *api) recordLater(rec state.Activation, err error) {
	size := int64(len(rec.Result))
	for _, line := range rec.Logs {
		size += int64(len(line))
	}
	if a.unwrittenBytes.TryAcquire(size) {
		defer a.unwrittenBytes.Release(size)
	} else {
		rec.StatusCode, rec.Logs = invoke.InternalError.Code(), nil
		rec.Result = errorResult("The endpoint could not write the outcome of the activation to disk, and had no memory left to keep it.")
	}
	a.log.Error("activation not recorded", "activation", rec.ID, "error", err.Error())
	for tick := time.NewTicker(recordRetryInterval); ; {
		select {
		case <-a.tasks.Context().Done():
			tick.Stop()
			return
		case <-tick.C:
		}
		if a.DB.Finish(rec) == nil {
			tick.Stop()
			return
		}
	}
}

// recordRetryInterval is the time between two attempts to record an outcome.
const recordRetryInterval = time.Second

// run returns the record of an activation that has ended, and an error if the record could not be written.
func (a *api) run(inv invoke.Invocation, rec state.Activation) (state.Activation, error) {
	out, err := a.invokeRecovering(inv)
	if err != nil {
		a.log.Error("activation failed", "activation", rec.ID, "action", rec.Action, "error", err.Error())
		out = invoke.Outcome{Status: invoke.InternalError, Result: errorResult("The endpoint could not run the action: " + err.Error())}
	}
	if len(out.Result) > maxResult {
		out.Result = errorResult(fmt.Sprintf("The action produced a response that exceeded the allowed length: %d > %d bytes.", len(out.Result), maxResult))
		out.Status = invoke.ApplicationError
	}
	if !json.Valid(out.Result) {
		if len(out.Result) > 0 {
			out.Status = invoke.DeveloperError
		}
		out.Result = json.RawMessage("{}")
		if out.Status == invoke.DeveloperError {
			out.Result = errorResult("The action did not produce a valid JSON response.")
		}
	}
	rec.End = max(a.Now().UnixMilli(), rec.Start)
	rec.StatusCode, rec.Result, rec.Size = out.Status.Code(), out.Result, out.Size
	if rec.LogsMB > 0 {
		rec.Logs = out.Logs
	}
	rec.InitMS, rec.WaitMS, rec.Cold = out.InitMS, out.WaitMS, out.Cold
	rec.Start = min(rec.Start+out.WaitMS, rec.End) // OpenWhisk's start time excludes the wait
	rec.TimedOut = out.Status == invoke.DeveloperError && out.InitMS+out.RunMS >= int64(rec.TimeoutMS)
	return rec, a.DB.Finish(rec)
}

// invokeRecovering runs an activation. A panic of the invoker fails the activation, but does not crash the endpoint.
func (a *api) invokeRecovering(inv invoke.Invocation) (out invoke.Outcome, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the invoker failed: %v", p)
		}
	}()
	return a.Invoker.Run(a.tasks.Context(), inv)
}

func errorResult(text string) json.RawMessage {
	data, _ := json.Marshal(map[string]string{"error": text})
	return data
}

func resultOf(rec state.Activation) json.RawMessage {
	if len(rec.Result) == 0 {
		return json.RawMessage("{}")
	}
	return rec.Result
}

// Recover records the activations that a killed endpoint left without an outcome as failed, and returns their number.
// Call it once, before New.
func Recover(db *state.DB, now time.Time) (int, error) {
	lost, err := db.Pending()
	if err != nil {
		return 0, err
	}
	for _, rec := range lost {
		rec.End, rec.StatusCode = max(now.UnixMilli(), rec.Start), invoke.InternalError.Code()
		rec.Result = errorResult("The endpoint ended while the activation was running.")
		if err := db.Finish(rec); err != nil {
			return 0, err
		}
	}
	return len(lost), nil
}
