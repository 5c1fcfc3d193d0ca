package rest

import (
	"cmp"
	"encoding/json"
	"net/http"
	"path/filepath"
	"slices"
	"strings"

	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/local/internal/state"
	"fn-runtime/runtime/local/invoke"
)

// isAbsolute reports whether an annotation may specify this path as the interpreter.
func isAbsolute(path string) bool { return filepath.IsAbs(path) }

type responseDoc struct {
	Status  string          `json:"status"`
	Success bool            `json:"success"`
	Size    int64           `json:"size,omitempty"` // bytes, as sent by the action; absent if the action did not respond
	Result  json.RawMessage `json:"result,omitempty"`
}

type activationDoc struct {
	ActivationID string       `json:"activationId"`
	Namespace    string       `json:"namespace"`
	Name         string       `json:"name"`
	Version      string       `json:"version"`
	Subject      string       `json:"subject,omitempty"`
	Publish      bool         `json:"publish"`
	Start        int64        `json:"start"`
	End          int64        `json:"end"`
	Duration     int64        `json:"duration"`
	StatusCode   *int         `json:"statusCode,omitempty"` // in lists only
	Response     *responseDoc `json:"response,omitempty"`
	Logs         *[]string    `json:"logs,omitempty"`
	Annotations  []annotation `json:"annotations"`
}

type annotation struct {
	Key   string `json:"key"`
	Value any    `json:"value"`
}

var statuses = [...]invoke.Status{invoke.Success, invoke.ApplicationError, invoke.DeveloperError, invoke.InternalError}

func response(rec state.Activation) *responseDoc {
	return &responseDoc{
		Status: string(statuses[rec.StatusCode&3]), Success: rec.StatusCode == 0,
		Size: rec.Size, Result: resultOf(rec),
	}
}

// summary returns an activation as shown in lists: without response and logs.
func summary(rec state.Activation) activationDoc {
	path := []string{rec.Namespace, rec.Package, rec.Action}
	if rec.Package == "" {
		path = []string{rec.Namespace, rec.Action}
	}
	doc := activationDoc{
		ActivationID: rec.ID, Namespace: rec.Namespace, Name: rec.Action, Version: rec.Version,
		Start: rec.Start, End: rec.End, Duration: rec.End - rec.Start, StatusCode: &rec.StatusCode,
		Annotations: []annotation{
			{"path", strings.Join(path, "/")},
			{"waitTime", rec.WaitMS},
			{"kind", rec.Kind},
			{"timeout", rec.TimedOut},
			{"limits", limitsDoc{rec.Concurrency, rec.LogsMB, rec.MemoryMB, rec.TimeoutMS}},
		},
	}
	if rec.Cold {
		doc.Annotations = append(doc.Annotations, annotation{"initTime", rec.InitMS})
	}
	if rec.Work != nil {
		doc.Annotations = append(doc.Annotations, annotation{entity.NoteWork, rec.Work})
	}
	return doc
}

// pendingDoc returns a waiting or running activation for lists with pending=true, which is an extension to OpenWhisk.
func pendingDoc(rec state.Activation) activationDoc {
	doc := summary(rec)
	doc.End, doc.Duration, doc.StatusCode = 0, 0, nil
	doc.Annotations = append(doc.Annotations, annotation{entity.NotePending, true})
	return doc
}

// lithopsWork returns the calls of a Lithops job that the arguments of an action contain, or nil if they contain none.
func lithopsWork(args map[string]json.RawMessage) *entity.Work {
	var w entity.Work
	for name, v := range map[string]any{"job_key": &w.Job, "func_name": &w.Function, "call_ids": &w.Calls, "total_calls": &w.Total} {
		if json.Unmarshal(args[name], v) != nil {
			return nil
		}
	}
	if w.Job == "" || len(w.Job) > maxWorkName || len(w.Function) > maxWorkName || len(w.Calls) > maxWorkCalls {
		return nil
	}
	return &w
}

// Limits of the job data that is stored with each activation.
const (
	maxWorkName  = 200   // bytes
	maxWorkCalls = 10000 // of one activation
)

func showActivation(rec state.Activation) activationDoc {
	doc := summary(rec)
	logs := rec.Logs
	if logs == nil {
		logs = []string{}
	}
	doc.Subject, doc.Response, doc.Logs, doc.StatusCode = rec.Namespace, response(rec), &logs, nil
	return doc
}

func (a *api) listActivations(c call) error {
	q := c.r.URL.Query()
	skip, limit, err := paging(q, "activations")
	if err != nil {
		return err
	}
	f := state.ActivationFilter{Skip: skip, Limit: limit}
	if f.Since, err = millisParam(q, "since"); err != nil {
		return err
	}
	if f.Upto, err = millisParam(q, "upto"); err != nil {
		return err
	}
	if name := q.Get("name"); name != "" {
		if pkg, action, ok := strings.Cut(name, "/"); ok {
			f.Package, f.Action = pkg, action
		} else {
			f.Action = name
		}
	}
	countOnly, err := boolParam(q, "count")
	if err != nil {
		return err
	}
	withOutcome, err := boolParam(q, "docs")
	if err != nil {
		return err
	}
	if countOnly {
		f.Limit = -1
		n := 0
		for _, err := range a.DB.Activations(c.ns.ID, f) {
			if err != nil {
				return err
			}
			n++
		}
		a.respond(c, http.StatusOK, map[string]int{"activations": n})
		return nil
	}
	f.Outcome = withOutcome
	includePending, err := boolParam(q, "pending")
	if err != nil {
		return err
	}
	var unfinished []state.Activation
	if includePending {
		if unfinished, err = a.pending(c, f); err != nil {
			return err
		}
		first := min(f.Skip, len(unfinished))
		last := min(first+f.Limit, len(unfinished))
		f.Skip, f.Limit = f.Skip-first, f.Limit-(last-first)
		unfinished = unfinished[first:last]
	}
	return respondList(a, c, func(yield func(activationDoc, error) bool) {
		for _, rec := range unfinished {
			if !yield(pendingDoc(rec), nil) {
				return
			}
		}
		for rec, err := range a.DB.Activations(c.ns.ID, f) {
			doc := summary(rec)
			if withOutcome {
				doc = showActivation(rec)
			}
			if !yield(doc, err) {
				return
			}
		}
	})
}

// pending returns the waiting and running activations of the namespace, newest first. It ignores the time filters.
func (a *api) pending(c call, f state.ActivationFilter) ([]state.Activation, error) {
	all, err := a.DB.Pending()
	if err != nil {
		return nil, err
	}
	unfinished := slices.DeleteFunc(all, func(rec state.Activation) bool {
		return rec.NamespaceID != c.ns.ID || f.Action != "" && (rec.Action != f.Action || f.Package != "" && rec.Package != f.Package)
	})
	slices.SortFunc(unfinished, func(x, y state.Activation) int {
		return cmp.Or(cmp.Compare(y.Start, x.Start), cmp.Compare(x.ID, y.ID))
	})
	return unfinished, nil
}

func (a *api) activation(c call) (state.Activation, error) {
	id := c.r.PathValue("id")
	if len(id) != 32 {
		return state.Activation{}, badRequest("Activation id length is %d but must be 32.", len(id))
	}
	if strings.Trim(id, "0123456789abcdefABCDEF") != "" {
		return state.Activation{}, badRequest("The activation id is not valid.")
	}
	if err := c.slot.Acquire(c.r.Context()); err != nil {
		return state.Activation{}, err
	}
	return a.DB.Activation(c.ns.ID, strings.ToLower(id))
}

func (a *api) getActivation(c call) error {
	rec, err := a.activation(c)
	if err == nil {
		a.respond(c, http.StatusOK, showActivation(rec))
	}
	return err
}

func (a *api) getActivationPart(c call) error {
	rec, err := a.activation(c)
	if err != nil {
		return err
	}
	switch c.r.PathValue("part") {
	case "result":
		a.respond(c, http.StatusOK, response(rec))
	case "logs":
		a.respond(c, http.StatusOK, map[string]any{"logs": showActivation(rec).Logs})
	default:
		return errNotFound
	}
	return nil
}
