package codeengine

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"fn-runtime/runtime/local/internal/state"
	"fn-runtime/runtime/text"
)

// kind describes a resource kind: how its requests differ from those of other kinds.
type kind struct {
	path           string // in URLs, and name of the list in responses
	resourceType   string // resource_type
	limit          int    // maximum number in a project
	status         int    // status code of POST
	updateMethod   string // HTTP method of updates; empty if updates are not supported
	requireIfMatch bool   // updates require the header If-Match
	// newDoc returns the name and the document of a new resource, from the body of a POST request.
	newDoc func(c call) (name string, doc any, err error)
	// updateDoc returns the updated document of an existing resource.
	updateDoc func(c call, old json.RawMessage) (doc any, err error)
	// show returns the fields of a document for responses.
	show func(c call, r state.Resource) (map[string]any, error)
	// afterCreate and afterDelete are called after a resource was created or deleted. They may be nil.
	afterCreate func(c call, r state.Resource) error
	afterDelete func(c call, r state.Resource) error
}

// label and subdomain are the two forms of names that Kubernetes allows.
var (
	label     = text.NewPattern(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`)
	subdomain = text.NewPattern(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`)
)

func checkName(kind, name string, form interface{ MatchString(string) bool }, longest int) error {
	if len(name) < 1 || len(name) > longest || !form.MatchString(name) {
		return invalid("The name of the %s is not valid: at most %d lower-case letters, digits and hyphens.", kind, longest)
	}
	return nil
}

func (a *api) list(c call) error {
	name := func(doc map[string]any) string { return doc["name"].(string) }
	return respondPage(a, c, c.kind.path, a.documents(c), name, func(doc map[string]any) any { return doc })
}

// documents yields the documents of a list request, sorted by name.
func (a *api) documents(c call) iter.Seq2[map[string]any, error] {
	job := c.r.URL.Query().Get("job_name")
	return func(yield func(map[string]any, error) bool) {
		for r, err := range a.DB.EachResource(c.project.ID, c.kind.path) {
			var doc map[string]any
			if err == nil {
				doc, err = a.document(c, r)
			}
			if err == nil && job != "" && doc["job_name"] != job {
				continue
			}
			if !yield(doc, err) {
				return
			}
		}
	}
}

func (a *api) get(c call) error {
	r, err := a.DB.Resource(c.project.ID, c.kind.path, c.name)
	if err != nil {
		return err
	}
	return a.respondResource(c, http.StatusOK, r)
}

func (a *api) create(c call) error {
	name, doc, err := c.kind.newDoc(c)
	if err != nil {
		return err
	}
	return a.write(c, c.kind.status, name, func(old *state.Resource, count int) (any, error) {
		switch {
		case old != nil:
			return nil, errExists
		case count >= c.kind.limit:
			return nil, quotaExceeded(strings.ReplaceAll(c.kind.path, "_", " ")+" in a project", c.kind.limit)
		}
		return doc, nil
	})
}

func (a *api) update(c call) error {
	match := c.r.Header.Get("If-Match")
	if match == "" && c.kind.requireIfMatch {
		return invalid("The header If-Match is missing.")
	}
	old, err := a.DB.Resource(c.project.ID, c.kind.path, c.name)
	if err != nil {
		return err
	}
	doc, err := c.kind.updateDoc(c, old.Doc)
	if err != nil {
		return err
	}
	return a.write(c, http.StatusOK, c.name, func(now *state.Resource, _ int) (any, error) {
		switch {
		case now == nil:
			return nil, errNotFound
		case match != "" && match != "*" && match != now.Tag, now.Tag != old.Tag: // changed since updateDoc was called
			return nil, errTag
		}
		return doc, nil
	})
}

// write stores the document that change returns, and responds with the resource.
func (a *api) write(c call, status int, name string, change func(old *state.Resource, count int) (any, error)) error {
	r, err := a.DB.PutResource(c.project.ID, c.kind.path, name, maxConfigMap, func(old *state.Resource, count int) (state.Resource, error) {
		doc, err := change(old, count)
		if err != nil {
			return state.Resource{}, err
		}
		next := state.Resource{ID: uuid.NewString(), Created: a.Now().UnixMilli()}
		if old != nil {
			next = *old
		}
		next.Tag = strings.ToLower(rand.Text()[:12])
		next.Doc, err = json.Marshal(doc)
		return next, err
	})
	if err == nil && status != http.StatusOK && c.kind.afterCreate != nil {
		err = c.kind.afterCreate(c, r)
	}
	if err != nil {
		return err
	}
	return a.respondResource(c, status, r)
}

func (a *api) remove(c call) error {
	r, err := a.DB.DeleteResource(c.project.ID, c.kind.path, c.name)
	if err == nil && c.kind.afterDelete != nil {
		err = c.kind.afterDelete(c, r)
	}
	if err != nil {
		return err
	}
	respondJSON(c.w, http.StatusAccepted, nil)
	return nil
}

func (a *api) respondResource(c call, status int, r state.Resource) error {
	doc, err := a.document(c, r)
	if err != nil {
		return err
	}
	c.w.Header().Set("ETag", r.Tag)
	out := a.newResponseSpool()
	defer out.Close()
	if err := json.NewEncoder(out).Encode(doc); err != nil {
		return err
	}
	c.sendSpool(status, out)
	return nil
}

// document returns a resource as shown in responses.
func (a *api) document(c call, r state.Resource) (map[string]any, error) {
	doc, err := c.kind.show(c, r)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", c.kind.path, r.Name, err)
	}
	maps.Copy(doc, map[string]any{
		"created_at": formatTime(r.Created), "entity_tag": r.Tag, "href": c.href(c.project.ID + "/" + c.kind.path + "/" + r.Name),
		"id": r.ID, "name": r.Name, "project_id": c.project.ID, "region": c.region,
	})
	if doc["resource_type"] == nil {
		doc["resource_type"] = c.kind.resourceType
	}
	return doc, nil
}
