package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"fn-runtime/runtime/local/internal/state"
)

// normalizeKeyValues validates a list of {"key","value"} for annotations or parameters. It returns the list without
// duplicates; the last value of a key wins.
func normalizeKeyValues(raw json.RawMessage, field string) (json.RawMessage, error) {
	list, err := parseKeyValues(raw)
	if err != nil {
		return nil, badRequest("The request content was malformed:\n%s malformed", field)
	}
	if len(raw) > maxParameters {
		return nil, tooLarge(field, int64(len(raw)), maxParameters)
	}
	if list == nil {
		return nil, nil
	}
	return json.Marshal(list)
}

type keyValue struct {
	Key   string          `json:"key"`
	Value json.RawMessage `json:"value"`
}

func parseKeyValues(raw json.RawMessage) ([]keyValue, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	var in []keyValue
	if err := json.Unmarshal(raw, &in); err != nil {
		return nil, err
	}
	out := make([]keyValue, 0, len(in))
	at := map[string]int{}
	for _, kv := range in {
		if kv.Key == "" {
			return nil, errors.New("a key is missing")
		}
		if kv.Value == nil {
			kv.Value = json.RawMessage("null")
		}
		if i, ok := at[kv.Key]; ok {
			out[i] = kv
			continue
		}
		at[kv.Key] = len(out)
		out = append(out, kv)
	}
	return out, nil
}

func orEmpty(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 {
		return json.RawMessage("[]")
	}
	return raw
}

type packageDoc struct {
	Namespace   string          `json:"namespace"`
	Name        string          `json:"name"`
	Version     string          `json:"version"`
	Publish     bool            `json:"publish"`
	Annotations json.RawMessage `json:"annotations"`
	Updated     int64           `json:"updated"`
	Binding     any             `json:"binding"`
	Parameters  json.RawMessage `json:"parameters,omitempty"`
	Feeds       *[]any          `json:"feeds,omitempty"`
}

// packageActionDoc is an action as shown in its package.
type packageActionDoc struct {
	Name        string          `json:"name"`
	Version     string          `json:"version"`
	Annotations json.RawMessage `json:"annotations"`
}

func showPackage(c call, p state.Package) packageDoc {
	return packageDoc{
		Namespace: c.path, Name: p.Name, Version: p.Version, Publish: p.Publish, Annotations: orEmpty(p.Annotations),
		Updated: p.Updated, Binding: struct{}{},
	}
}

func (a *api) listPackages(c call) error {
	q := c.r.URL.Query()
	skip, limit, err := paging(q, "packages")
	if err != nil {
		return err
	}
	countOnly, err := boolParam(q, "count")
	if err != nil {
		return err
	}
	if countOnly {
		n, err := a.DB.CountPackages(c.ns.ID)
		if err == nil {
			a.respond(c, http.StatusOK, map[string]int{"packages": max(n-skip, 0)})
		}
		return err
	}
	return respondList(a, c, func(yield func(packageDoc, error) bool) {
		for p, err := range a.DB.Packages(c.ns.ID, skip, limit) {
			doc := showPackage(c, p)
			doc.Binding = false
			if !yield(doc, err) {
				return
			}
		}
	})
}

func (a *api) getPackage(c call) error {
	if err := c.slot.Acquire(c.r.Context()); err != nil {
		return err
	}
	p, err := a.DB.Package(c.ns.ID, c.name)
	if errors.Is(err, state.ErrNotFound) {
		return &apiError{status: http.StatusNotFound, text: fmt.Sprintf("The requested resource '%s/%s' does not exist.", c.path, c.name)}
	}
	if err != nil {
		return err
	}
	doc := showPackage(c, p)
	doc.Parameters, doc.Feeds = orEmpty(p.Parameters), &[]any{}
	head, err := json.Marshal(doc)
	if err != nil {
		return err
	}
	head = append(bytes.TrimSuffix(head, []byte("}")), `,"actions":[`...)
	return respondEach(a, c, string(head), "]}", func(yield func(packageActionDoc, error) bool) {
		for x, err := range a.DB.Actions(c.ns.ID, c.name, false, 0, -1) {
			if !yield(packageActionDoc{x.Name, x.Version, withExecAnnotation(x)}, err) {
				return
			}
		}
	})
}

func (a *api) putPackage(c call) error {
	var in struct {
		Publish     *bool           `json:"publish"`
		Annotations json.RawMessage `json:"annotations"`
		Parameters  json.RawMessage `json:"parameters"`
		Binding     json.RawMessage `json:"binding"`
	}
	if c.name == "default" {
		return badRequest("Package name 'default' is reserved.")
	}
	overwrite, err := boolParam(c.r.URL.Query(), "overwrite")
	if err != nil {
		return err
	}
	if err := a.decode(c, 2*maxParameters, &in); err != nil {
		return err
	}
	if b := string(in.Binding); b != "" && b != "null" && b != "{}" {
		return notImplemented(packageBindings)
	}
	annotations, err := normalizeKeyValues(in.Annotations, "annotations")
	if err != nil {
		return err
	}
	parameters, err := normalizeKeyValues(in.Parameters, "parameters")
	if err != nil {
		return err
	}
	if err := c.slot.Acquire(c.r.Context()); err != nil { // the existing package may be large
		return err
	}
	p, err := a.DB.PutPackage(c.ns.ID, c.name, func(old *state.Package) (state.Package, error) {
		next := state.Package{}
		if old != nil {
			if !overwrite {
				return next, errExists
			}
			next = *old
		}
		if in.Publish != nil {
			next.Publish = *in.Publish
		}
		if annotations != nil {
			next.Annotations = annotations
		}
		if parameters != nil {
			next.Parameters = parameters
		}
		return next, nil
	})
	if err != nil {
		return err
	}
	doc := showPackage(c, p)
	doc.Parameters = orEmpty(p.Parameters)
	a.respond(c, http.StatusOK, doc)
	return nil
}

// refreshPackages rejects requests to refresh package bindings. No other POST to a package exists.
func refreshPackages(c call) error {
	if c.name == "refresh" {
		return notImplemented(packageBindings)
	}
	return errNoRoute
}

func (a *api) deletePackage(c call) error {
	force, err := boolParam(c.r.URL.Query(), "force")
	if err != nil {
		return err
	}
	if err := c.slot.Acquire(c.r.Context()); err != nil {
		return err
	}
	p, n, err := a.DB.DeletePackage(c.ns.ID, c.name, force)
	if errors.Is(err, state.ErrNotEmpty) {
		return &apiError{status: http.StatusConflict, text: notEmpty(n)}
	}
	if err != nil {
		return err
	}
	doc := showPackage(c, p)
	doc.Parameters = orEmpty(p.Parameters)
	a.respond(c, http.StatusOK, doc)
	return nil
}

func notEmpty(n int) string {
	entities := "entities"
	if n == 1 {
		entities = "entity"
	}
	return fmt.Sprintf("Package not empty (contains %d %s). Set force param or delete package contents.", n, entities)
}
