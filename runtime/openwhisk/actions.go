package openwhisk

import (
	"bytes"
	"context"
	"encoding/json"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/apache/openwhisk-client-go/whisk"

	"fn-runtime/runtime/transport"
)

// blackbox is the kind of an action that runs in its own image.
const blackbox = "blackbox"

// Action is an OpenWhisk action. Lists leave Image empty because the API returns exec.image for single actions only.
type Action struct {
	Package     string
	Name        string
	Image       string // exec.image; empty in lists
	MemoryMB    int
	TimeoutMS   int
	Annotations map[string]any
	UpdatedAt   time.Time
	Version     string // "0.0.1"; each change increments the last number unless it specifies a version
}

// Actions returns the actions of a package without their images. It requests the next page in advance. The caller must
// not delete actions while it reads, because pages are addressed by offset.
func (c *Client) Actions(ctx context.Context, pkg string) iter.Seq2[Action, error] {
	if err := checkName("package", pkg); err != nil {
		return func(yield func(Action, error) bool) { yield(Action{}, err) }
	}
	return list(ctx, c, subject{"package", pkg},
		func(a whisk.Action) string { return a.Name },
		func(a whisk.Action) Action { return toAction(pkg, a) },
		"actions/"+url.PathEscape(pkg)+"/")
}

// Action returns an action without its code. It returns a fault.NotFound error if the action does not exist.
func (c *Client) Action(ctx context.Context, pkg, name string) (Action, error) {
	if err := checkNames(pkg, name); err != nil {
		return Action{}, err
	}
	return c.action(ctx, pkg, name, request{http.MethodGet, actionPath(pkg, name) + "?code=false", nil})
}

// action sends a request whose response is an action.
func (c *Client) action(ctx context.Context, pkg, name string, r request) (Action, error) {
	about := subject{"action", pkg + "/" + name}
	resp, err := c.call(ctx, about, r)
	if err != nil {
		return Action{}, err
	}
	var got whisk.Action
	if err := json.Unmarshal(resp.body, &got); err != nil {
		return Action{}, unreadableResponse(about, err)
	}
	got.Name = name
	return toAction(pkg, got), nil
}

// toAction converts an action of the API.
func toAction(pkg string, a whisk.Action) Action {
	e := Action{Package: pkg, Name: a.Name, UpdatedAt: milliseconds(a.Updated), Version: a.Version}
	if a.Exec != nil {
		e.Image = a.Exec.Image
	}
	if l := a.Limits; l != nil {
		if l.Memory != nil {
			e.MemoryMB = *l.Memory
		}
		if l.Timeout != nil {
			e.TimeoutMS = *l.Timeout
		}
	}
	if len(a.Annotations) > 0 {
		e.Annotations = make(map[string]any, len(a.Annotations))
		for _, kv := range a.Annotations {
			e.Annotations[kv.Key] = kv.Value
		}
	}
	return e
}

// PutAction creates or updates an action and returns the stored action. code is a ZIP archive in Base64. If code and
// image are both empty, the existing ones are kept. Existing annotations are kept, except those in remove.
func (c *Client) PutAction(ctx context.Context, a Action, code string, remove ...string) (Action, error) {
	if err := checkNames(a.Package, a.Name); err != nil {
		return Action{}, err
	}
	put := &whisk.Action{Name: a.Package + "/" + a.Name, Version: a.Version, Limits: &whisk.Limits{}, DelAnnotations: remove}
	if code != "" || a.Image != "" {
		binary := true
		put.Exec = &whisk.Exec{Kind: blackbox, Image: a.Image, Code: &code, Binary: &binary}
	}
	if a.MemoryMB > 0 {
		put.Limits.Memory = &a.MemoryMB
	}
	if a.TimeoutMS > 0 {
		put.Limits.Timeout = &a.TimeoutMS
	}
	for _, key := range slices.Sorted(maps.Keys(a.Annotations)) {
		put.Annotations = append(put.Annotations, whisk.KeyValue{Key: key, Value: a.Annotations[key]})
	}
	ctx = transport.With(ctx, transport.Call{IsRace: concurrentChange})
	return c.action(ctx, a.Package, a.Name, request{http.MethodPut, actionPath(a.Package, a.Name) + "?overwrite=true", put})
}

// DeleteAction deletes an action. It returns a fault.NotFound error if the action does not exist, or if the response
// to a first attempt was lost and the retry finds no action.
func (c *Client) DeleteAction(ctx context.Context, pkg, name string) error {
	if err := checkNames(pkg, name); err != nil {
		return err
	}
	ctx = transport.With(ctx, transport.Call{IsRace: concurrentChange})
	_, err := c.call(ctx, subject{"action", pkg + "/" + name}, request{http.MethodDelete, actionPath(pkg, name), nil})
	return err
}

func actionPath(pkg, name string) string {
	return "actions/" + url.PathEscape(pkg) + "/" + url.PathEscape(name)
}

// concurrentChange reports whether body is the 409 response of OpenWhisk to concurrent writes ("Concurrent
// modification to resource detected."). A retry does not help with its other conflicts.
func concurrentChange(body []byte) bool {
	return bytes.Contains(bytes.ToLower(body), []byte("concurrent modification"))
}
