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
	blocking, err := truth(q, "blocking")
	if err != nil {
		return err
	}
	onlyResult, err := truth(q, "result")
	if err != nil {
		return err
	}
	wait := a.Wait
	if q.Has("timeout") {
		ms, err := strconv.Atoi(q.Get("timeout"))
		if err != nil || ms <= 0 || int64(ms) > a.Wait.Milliseconds() {
			return bad("The query parameter 'timeout' was malformed:\nTimeout must be number of milliseconds up to %d.", a.Wait.Milliseconds())
		}
		wait = time.Duration(ms) * time.Millisecond
	}
	args := map[string]json.RawMessage{}
	if err := a.decode(c, maxParameters, &args); err != nil {
		return err
	}
	if err := c.turn.Acquire(c.r.Context()); err != nil { // what the action and its package add may be large
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
	c.turn.End()
	done, err := a.start(inv, state.Activation{
		ID: inv.ActivationID, NamespaceID: c.ns.ID, Namespace: c.path, Package: x.Package, Action: x.Name, Version: x.Version,
		Kind: x.Kind, MemoryMB: x.MemoryMB, TimeoutMS: x.TimeoutMS, LogsMB: x.LogsMB, Concurrency: x.Concurrency, Start: a.Now().UnixMilli(),
		Work: work(args),
	})
	if err != nil {
		return err
	}
	c.w.Header().Set("X-Openwhisk-Activation-Id", inv.ActivationID)
	accepted := map[string]string{"activationId": inv.ActivationID}
	if !blocking {
		a.answer(c, http.StatusAccepted, accepted)
		return nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case rec := <-done:
		if c.turn.Acquire(c.r.Context()) != nil { // it has run: the client can ask for what came of it
			a.answer(c, http.StatusAccepted, accepted)
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
			a.answer(c, status, resultOf(rec))
		} else {
			rec.Logs = nil // as in OpenWhisk, where they are collected later: the record has them
			a.answer(c, status, showActivation(rec))
		}
	case <-timer.C:
		a.answer(c, http.StatusAccepted, accepted)
	case <-c.r.Context().Done(): // the activation goes on; nobody reads the answer
	}
	return nil
}

// prepare makes the invocation: default parameters of package and action below what was sent.
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
		APIKey: a.apiKey(x), APIHost: a.APIHost, Deadline: a.Now().Add(time.Duration(x.TimeoutMS) * time.Millisecond), Extra: a.Extra,
	}, nil
}

func (a *api) interpreter(x state.Action) string {
	var path string
	if json.Unmarshal(annotated(x.Annotations, entity.NoteInterpreter), &path) == nil && isAbsolute(path) {
		return path
	}
	return a.Python
}

// apiKey is the key for the action's own requests, "" when it is to have none.
func (a *api) apiKey(x state.Action) string {
	if string(annotated(x.Annotations, provideKey)) == "false" {
		return ""
	}
	return a.APIKey
}

// annotated returns the value of one of the annotations; nil when there is none.
func annotated(annotations json.RawMessage, key string) json.RawMessage {
	list, _ := parseKeyValues(annotations)
	for _, kv := range list {
		if kv.Key == key {
			return kv.Value
		}
	}
	return nil
}

// start accepts an activation and runs it apart from the request. The channel gives its record once.
func (a *api) start(inv invoke.Invocation, rec state.Activation) (<-chan state.Activation, error) {
	end, err := a.slot(int64(len(inv.Args)))
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

// slot makes room for one more activation with that many bytes of parameters, unless there are too many or the endpoint
// stops.
func (a *api) slot(size int64) (end func(), err error) {
	ended, ok := a.tasks.Begin()
	if !ok {
		return nil, &problem{status: http.StatusServiceUnavailable, text: "The endpoint is stopping."}
	}
	if !a.queued.TryAcquire(size) {
		ended()
		return nil, &problem{status: http.StatusTooManyRequests, text: fmt.Sprintf("Too many bytes of parameters in flight (allowed: %d).", a.QueueBytes), again: true}
	}
	select {
	case a.slots <- struct{}{}:
	default:
		a.queued.Release(size)
		ended()
		return nil, &problem{status: http.StatusTooManyRequests, text: fmt.Sprintf("Too many concurrent requests in flight (count: %d, allowed: %d).", len(a.slots)+1, cap(a.slots)), again: true}
	}
	return func() {
		<-a.slots
		a.queued.Release(size)
		ended()
	}, nil
}

// recordLater tries until the outcome is on disk, which may be full for a while: a client that asks for the record would
// wait for ever. What is not written when the endpoint stops is settled by Recover. Results and logs that wait have a bound:
// what is beyond is lost, and the record says so.
func (a *api) recordLater(rec state.Activation, err error) {
	size := int64(len(rec.Result))
	for _, line := range rec.Logs {
		size += int64(len(line))
	}
	if a.unwritten.TryAcquire(size) {
		defer a.unwritten.Release(size)
	} else {
		rec.StatusCode, rec.Logs = invoke.InternalError.Code(), nil
		rec.Result = errorResult("The endpoint could not write the outcome when the activation ended, and had no room to keep it.")
	}
	a.log.Error("activation not recorded", "activation", rec.ID, "error", err.Error())
	for tick := time.NewTicker(recordPause); ; {
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

// recordPause is the wait between two attempts to record an outcome.
const recordPause = time.Second

// run returns the record of an activation that has ended, and the error when it could not be written.
func (a *api) run(inv invoke.Invocation, rec state.Activation) (state.Activation, error) {
	out, err := a.guarded(inv)
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
	rec.Start = min(rec.Start+out.WaitMS, rec.End) // OpenWhisk counts from the end of the wait
	rec.TimedOut = out.Status == invoke.DeveloperError && out.InitMS+out.RunMS >= int64(rec.TimeoutMS)
	return rec, a.DB.Finish(rec)
}

// guarded runs an activation so that a fault of the invoker ends that activation, not the endpoint.
func (a *api) guarded(inv invoke.Invocation) (out invoke.Outcome, err error) {
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

// Recover records the activations that a killed endpoint left without outcome. It is called once, before New.
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
