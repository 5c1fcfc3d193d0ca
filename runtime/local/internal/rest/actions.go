package rest

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"

	"fn-runtime/runtime/local/internal/state"
)

// execDoc describes the code of an action. Code is a base64-encoded archive if Binary is set.
type execDoc struct {
	Kind   string  `json:"kind,omitempty"`
	Image  string  `json:"image,omitempty"`
	Main   string  `json:"main,omitempty"`
	Code   *string `json:"code,omitempty"`
	Binary bool    `json:"binary"`
}

type limitsDoc struct {
	Concurrency int `json:"concurrency"`
	Logs        int `json:"logs"`    // MB
	Memory      int `json:"memory"`  // MB
	Timeout     int `json:"timeout"` // ms
}

type actionDoc struct {
	Namespace   string          `json:"namespace"` // "guest/package"
	Name        string          `json:"name"`
	Version     string          `json:"version"`
	Publish     bool            `json:"publish"`
	Exec        any             `json:"exec"`
	Limits      limitsDoc       `json:"limits"`
	Annotations json.RawMessage `json:"annotations"`
	Parameters  json.RawMessage `json:"parameters,omitempty"`
	Updated     int64           `json:"updated"`
}

func showAction(c call, x state.Action) actionDoc {
	ns := c.path
	if x.Package != "" {
		ns += "/" + x.Package
	}
	return actionDoc{
		Namespace: ns, Name: x.Name, Version: x.Version, Publish: x.Publish,
		Exec:        execDoc{Kind: x.Kind, Image: x.Image, Main: x.Main, Binary: x.Binary},
		Limits:      limitsDoc{x.Concurrency, x.LogsMB, x.MemoryMB, x.TimeoutMS},
		Annotations: withExecAnnotation(x), Parameters: orEmpty(x.Parameters), Updated: x.Updated,
	}
}

// withExecAnnotation adds the annotation "exec", which OpenWhisk sets on every action.
func withExecAnnotation(x state.Action) json.RawMessage {
	list, err := parseKeyValues(x.Annotations)
	if err != nil {
		return json.RawMessage("[]")
	}
	kind, _ := json.Marshal(x.Kind)
	if at := slices.IndexFunc(list, func(kv keyValue) bool { return kv.Key == "exec" }); at >= 0 {
		list[at].Value = kind
	} else {
		list = append(list, keyValue{"exec", kind})
	}
	raw, _ := json.Marshal(list)
	return raw
}

func (a *api) listActions(c call) error {
	q := c.r.URL.Query()
	skip, limit, err := paging(q, "actions")
	if err != nil {
		return err
	}
	countOnly, err := boolParam(q, "count")
	if err != nil {
		return err
	}
	if c.pkg != "" {
		if _, err := a.DB.Package(c.ns.ID, c.pkg); err != nil {
			return err
		}
	}
	if countOnly {
		n, err := a.DB.CountActions(c.ns.ID, c.pkg, c.pkg == "")
		if err == nil {
			a.respond(c, http.StatusOK, map[string]int{"actions": max(n-skip, 0)})
		}
		return err
	}
	return respondList(a, c, func(yield func(actionDoc, error) bool) {
		for x, err := range a.DB.Actions(c.ns.ID, c.pkg, c.pkg == "", skip, limit) {
			doc := showAction(c, x)
			doc.Exec, doc.Parameters = map[string]bool{"binary": x.Binary}, nil
			if !yield(doc, err) {
				return
			}
		}
	})
}

// action reads the action of the request path. It returns errNotInCollection if the default package does not contain
// the action, but a package has this name.
func (a *api) action(c call) (state.Action, error) {
	x, err := a.DB.Action(c.ns.ID, c.pkg, c.name)
	if errors.Is(err, state.ErrNotFound) && c.pkg == "" {
		if _, missing := a.DB.Package(c.ns.ID, c.name); missing == nil {
			return x, errNotInCollection
		}
	}
	return x, err
}

func (a *api) getAction(c call) error {
	if err := c.slot.Acquire(c.r.Context()); err != nil {
		return err
	}
	x, err := a.action(c)
	if err != nil {
		return err
	}
	withCode := true
	if c.r.URL.Query().Has("code") {
		if withCode, err = boolParam(c.r.URL.Query(), "code"); err != nil {
			return err
		}
	}
	doc := showAction(c, x)
	if withCode {
		code, err := a.code(x)
		if err != nil {
			return err
		}
		doc = showActionWithCode(c, x, code)
	}
	a.respond(c, http.StatusOK, doc)
	return nil
}

func (a *api) code(x state.Action) (string, error) {
	if x.CodeHash == "" {
		return "", nil
	}
	return a.DB.Code(x.CodeHash)
}

// showActionWithCode is like showAction, but includes exec.code. OpenWhisk also includes it in the responses to PUT and
// DELETE.
func showActionWithCode(c call, x state.Action, code string) actionDoc {
	doc := showAction(c, x)
	if exec, ok := doc.Exec.(execDoc); ok && code != "" {
		exec.Code = &code
		doc.Exec = exec
	}
	return doc
}

func (a *api) deleteAction(c call) error {
	if err := c.slot.Acquire(c.r.Context()); err != nil {
		return err
	}
	if _, err := a.action(c); err != nil {
		return err
	}
	x, code, err := a.DB.DeleteAction(c.ns.ID, c.pkg, c.name)
	if err != nil {
		return err
	}
	a.respond(c, http.StatusOK, showActionWithCode(c, x, code))
	return nil
}
