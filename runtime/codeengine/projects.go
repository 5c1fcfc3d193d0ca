package codeengine

import (
	"context"
	"net/http"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/text"
)

// projectDoc is a project of the API.
type projectDoc struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Status string `json:"status"` // see the constants
}

// Relevant statuses of a project. In the first two the project is being created.
const (
	creating       = "creating"
	preparing      = "preparing"
	active         = "active"
	creationFailed = "creation_failed"
)

// projects returns the projects in the region that the credentials can access.
func (c *Client) projects(ctx context.Context) ([]projectDoc, error) {
	return list[projectDoc](ctx, subject{kind: "project"}, "projects", nil, c.do, "projects")
}

// getProject returns a project. It returns a fault.NotFound error if the project does not exist.
func (c *Client) getProject(ctx context.Context, id string) (projectDoc, error) {
	var p projectDoc
	about := subject{"project", id}
	err := c.do(ctx, request{method: http.MethodGet, path: []string{"projects", id}, about: about}, &p)
	if err == nil && !validProjectID.MatchString(p.ID) {
		err = unreadableResponse(about, nil)
	}
	return p, err
}

// createProject starts the creation of a project in a resource group. It returns a fault.Conflict error if the name
// is in use.
func (c *Client) createProject(ctx context.Context, name, resourceGroupID string) (projectDoc, error) {
	var p projectDoc
	about := subject{"project", name}
	body := map[string]string{"name": name, "resource_group_id": resourceGroupID}
	err := c.do(ctx, request{method: http.MethodPost, path: []string{"projects"}, body: body, about: about}, &p)
	if err == nil && !validProjectID.MatchString(p.ID) {
		err = unreadableResponse(about, nil)
	}
	return p, err
}

// deleteProject soft-deletes a project: the service keeps the project and its name for seven days. It returns a
// fault.NotFound error if the project does not exist.
func (c *Client) deleteProject(ctx context.Context, id string) error {
	if !validProjectID.MatchString(id) {
		return fault.New(fault.Invalid, i18n.M("{{.ID}} is not a valid project ID.", "ID", text.Line(id, 100)), i18n.Message{})
	}
	return c.do(ctx, request{method: http.MethodDelete, path: []string{"projects", id}, about: subject{"project", id}}, nil)
}

// validProjectID matches project IDs, which are UUIDs. It also accepts other IDs that are safe in paths and keys.
var validProjectID = text.NewPattern(`^[0-9A-Za-z][0-9A-Za-z_-]{0,63}$`)
