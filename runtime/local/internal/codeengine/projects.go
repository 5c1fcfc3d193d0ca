package codeengine

import (
	"net/http"
	"unicode/utf8"

	"github.com/google/uuid"

	"fn-runtime/runtime/local/internal/state"
	"fn-runtime/runtime/text"
)

// maxProjects counts those of a region, deleted ones that are kept included.
const maxProjects = 20

var projectName = text.NewPattern(`^([^\x00-\x7F]|[a-zA-Z0-9\-._: ])+$`)

func (a *api) listProjects(c call) error {
	all, err := a.DB.Projects()
	if err != nil {
		return err
	}
	here := func(yield func(state.Project, error) bool) {
		for _, p := range all {
			if p.Region == c.region && p.Deleted == 0 && !yield(p, nil) {
				return
			}
		}
	}
	return page(a, c, "projects", here, func(p state.Project) string { return p.ID }, func(p state.Project) any { return c.showProject(p, "active") })
}

func (a *api) createProject(c call) error {
	var body struct {
		Name            string `json:"name"`
		ResourceGroupID string `json:"resource_group_id"`
	}
	if err := decode(c, &body); err != nil {
		return err
	}
	if n := utf8.RuneCountInString(body.Name); n < 1 || n > 128 || !projectName.MatchString(body.Name) {
		return invalid("The name of the project is not valid: 1 to 128 letters, digits, spaces and any of '-._:'.")
	}
	p := state.Project{ID: uuid.NewString(), Name: body.Name, Region: c.region, ResourceGroupID: body.ResourceGroupID, Created: a.Now().UnixMilli()}
	err := a.DB.CreateProject(p, func(all []state.Project) error {
		n := 0
		for _, have := range all {
			if have.Region != c.region {
				continue
			}
			n++
			if have.Name == p.Name && have.Deleted != 0 {
				return &problem{http.StatusConflict, "project_name_already_exists", "A project of that name is soft-deleted: its name stays taken for 7 days."}
			}
			if have.Name == p.Name {
				return &problem{http.StatusConflict, "project_name_already_exists", "A project of that name already exists."}
			}
		}
		if n >= maxProjects {
			return quota("projects in a region, soft-deleted ones included,", maxProjects)
		}
		return nil
	})
	if err != nil {
		return err
	}
	answer(c.w, http.StatusAccepted, c.showProject(p, "creating"))
	return nil
}

func (a *api) getProject(c call) error {
	answer(c.w, http.StatusOK, c.showProject(c.project, "active"))
	return nil
}

func (a *api) projectStatus(c call) error {
	answer(c.w, http.StatusOK, map[string]string{"domain": "ready", "project": "enabled"})
	return nil
}

func (a *api) deleteProject(c call) error {
	if err := a.DB.DeleteProject(c.project.ID); err != nil {
		return err
	}
	a.kill(func(r *run) bool { return r.project.ID == c.project.ID })
	answer(c.w, http.StatusAccepted, nil)
	return nil
}

func (c call) showProject(p state.Project, status string) any {
	return map[string]any{
		"account_id": "local", "created_at": stamp(p.Created), "crn": "crn:v1:local:public:codeengine:" + p.Region + ":a/local:" + p.ID + "::",
		"href": c.href(p.ID), "id": p.ID, "name": p.Name, "region": p.Region, "resource_group_id": p.ResourceGroupID,
		"resource_type": "project_v2", "status": status,
	}
}
