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

// kind is one sort of resource: how its requests differ from those of the others.
type kind struct {
	path   string // in URLs and of its list
	typ    string // resource_type
	limit  int    // of a project
	status int    // of POST
	change string // the method that changes one; "" none
	must   bool   // If-Match is compulsory with it
	// make returns name and document of a new one, from the body of POST.
	make func(c call) (name string, doc any, err error)
	// remake returns the document that a change makes of an old one.
	remake func(c call, old json.RawMessage) (doc any, err error)
	// show returns the fields of a document.
	show func(c call, r state.Resource) (map[string]any, error)
	// made and gone are told what has been written and removed.
	made func(c call, r state.Resource) error
	gone func(c call, r state.Resource) error
}

// label and subdomain are the names that Kubernetes allows, in their two lengths.
var (
	label     = text.NewPattern(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`)
	subdomain = text.NewPattern(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`)
)

func checkName(what, name string, form interface{ MatchString(string) bool }, longest int) error {
	if len(name) < 1 || len(name) > longest || !form.MatchString(name) {
		return invalid("The name of the %s is not valid: at most %d lower-case letters, digits and hyphens.", what, longest)
	}
	return nil
}

func (a *api) list(c call) error {
	name := func(doc map[string]any) string { return doc["name"].(string) }
	return page(a, c, c.kind.path, a.documents(c), name, func(doc map[string]any) any { return doc })
}

// documents yields what clients see of the resources that a list asks for, in order of their names.
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
	return a.answerResource(c, http.StatusOK, r)
}

func (a *api) create(c call) error {
	name, doc, err := c.kind.make(c)
	if err != nil {
		return err
	}
	return a.write(c, c.kind.status, name, func(old *state.Resource, count int) (any, error) {
		switch {
		case old != nil:
			return nil, errExists
		case count >= c.kind.limit:
			return nil, quota(strings.ReplaceAll(c.kind.path, "_", " ")+" in a project", c.kind.limit)
		}
		return doc, nil
	})
}

func (a *api) update(c call) error {
	match := c.r.Header.Get("If-Match")
	if match == "" && c.kind.must {
		return invalid("The header If-Match is missing.")
	}
	old, err := a.DB.Resource(c.project.ID, c.kind.path, c.name)
	if err != nil {
		return err
	}
	doc, err := c.kind.remake(c, old.Doc)
	if err != nil {
		return err
	}
	return a.write(c, http.StatusOK, c.name, func(now *state.Resource, _ int) (any, error) {
		switch {
		case now == nil:
			return nil, errMissing
		case match != "" && match != "*" && match != now.Tag, now.Tag != old.Tag: // changed under the new document
			return nil, errTag
		}
		return doc, nil
	})
}

// write stores the document that change gives, and answers the resource.
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
	if err == nil && status != http.StatusOK && c.kind.made != nil {
		err = c.kind.made(c, r)
	}
	if err != nil {
		return err
	}
	return a.answerResource(c, status, r)
}

func (a *api) remove(c call) error {
	r, err := a.DB.DeleteResource(c.project.ID, c.kind.path, c.name)
	if err == nil && c.kind.gone != nil {
		err = c.kind.gone(c, r)
	}
	if err != nil {
		return err
	}
	answer(c.w, http.StatusAccepted, nil)
	return nil
}

func (a *api) answerResource(c call, status int, r state.Resource) error {
	doc, err := a.document(c, r)
	if err != nil {
		return err
	}
	c.w.Header().Set("ETag", r.Tag)
	out := a.outgoing()
	defer out.Close()
	if err := json.NewEncoder(out).Encode(doc); err != nil {
		return err
	}
	c.send(status, out)
	return nil
}

// document is what clients see of a resource.
func (a *api) document(c call, r state.Resource) (map[string]any, error) {
	doc, err := c.kind.show(c, r)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", c.kind.path, r.Name, err)
	}
	maps.Copy(doc, map[string]any{
		"created_at": stamp(r.Created), "entity_tag": r.Tag, "href": c.href(c.project.ID + "/" + c.kind.path + "/" + r.Name),
		"id": r.ID, "name": r.Name, "project_id": c.project.ID, "region": c.region,
	})
	if doc["resource_type"] == nil {
		doc["resource_type"] = c.kind.typ
	}
	return doc, nil
}
