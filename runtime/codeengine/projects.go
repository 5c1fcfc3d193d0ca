package codeengine

import (
	"context"
	"net/http"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/text"
)

// projectDoc is a project as the API gives it.
type projectDoc struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Status string `json:"status"` // see the constants
}

// The statuses of a project that matter. In the first two it is being made.
const (
	creating       = "creating"
	preparing      = "preparing"
	active         = "active"
	creationFailed = "creation_failed"
)

// projects lists those that the credentials give access to in the region.
func (c *Client) projects(ctx context.Context) ([]projectDoc, error) {
	return list[projectDoc](ctx, subject{kind: "project"}, "projects", nil, c.do, "projects")
}

// getProject reads one project; fault.NotFound.
func (c *Client) getProject(ctx context.Context, id string) (projectDoc, error) {
	var p projectDoc
	about := subject{"project", id}
	err := c.do(ctx, request{method: http.MethodGet, path: []string{"projects", id}, about: about}, &p)
	if err == nil && !idForm.MatchString(p.ID) {
		err = unreadable(about, nil)
	}
	return p, err
}

// createProject begins to make a project in a resource group; fault.Conflict when its name is taken.
func (c *Client) createProject(ctx context.Context, name, resourceGroupID string) (projectDoc, error) {
	var p projectDoc
	about := subject{"project", name}
	body := map[string]string{"name": name, "resource_group_id": resourceGroupID}
	err := c.do(ctx, request{method: http.MethodPost, path: []string{"projects"}, body: body, about: about}, &p)
	if err == nil && !idForm.MatchString(p.ID) {
		err = unreadable(about, nil)
	}
	return p, err
}

// deleteProject removes a project softly: it is kept for seven days, and its name taken; fault.NotFound.
func (c *Client) deleteProject(ctx context.Context, id string) error {
	if !idForm.MatchString(id) {
		return fault.New(fault.Invalid, i18n.M("{{.ID}} is not a valid project ID.", "ID", text.Line(id, 100)), i18n.Message{})
	}
	return c.do(ctx, request{method: http.MethodDelete, path: []string{"projects", id}, about: subject{"project", id}}, nil)
}

// idForm is what ids of projects look like: UUIDs. Others are taken with what is harmless in paths and keys.
var idForm = text.NewPattern(`^[0-9A-Za-z][0-9A-Za-z_-]{0,63}$`)
