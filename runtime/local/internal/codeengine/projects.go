package codeengine

import (
	"net/http"
	"unicode/utf8"

	"github.com/google/uuid"

	"fn-runtime/runtime/local/internal/state"
	"fn-runtime/runtime/text"
)

// maxProjects is the maximum number of projects in a region, including deleted ones that are still kept.
const maxProjects = 20

var projectName = text.NewPattern(`^([^\x00-\x7F]|[a-zA-Z0-9\-._: ])+$`)

func (a *api) listProjects(c call) error {
	all, err := a.DB.Projects()
	if err != nil {
		return err
	}
	inRegion := func(yield func(state.Project, error) bool) {
		for _, p := range all {
			if p.Region == c.region && p.Deleted == 0 && !yield(p, nil) {
				return
			}
		}
	}
	return respondPage(a, c, "projects", inRegion, func(p state.Project) string { return p.ID }, func(p state.Project) any { return c.showProject(p, "active") })
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
		return invalid("The name of the project is not valid: use 1 to 128 letters, digits, spaces and the characters '-._:'.")
	}
	p := state.Project{ID: uuid.NewString(), Name: body.Name, Region: c.region, ResourceGroupID: body.ResourceGroupID, Created: a.Now().UnixMilli()}
	err := a.DB.CreateProject(p, func(all []state.Project) error {
		n := 0
		for _, existing := range all {
			if existing.Region != c.region {
				continue
			}
			n++
			if existing.Name == p.Name && existing.Deleted != 0 {
				return &apiError{http.StatusConflict, "project_name_already_exists", "A project with this name is soft-deleted. Its name stays reserved for 7 days."}
			}
			if existing.Name == p.Name {
				return &apiError{http.StatusConflict, "project_name_already_exists", "A project with this name already exists."}
			}
		}
		if n >= maxProjects {
			return quotaExceeded("projects in a region (including soft-deleted projects)", maxProjects)
		}
		return nil
	})
	if err != nil {
		return err
	}
	respondJSON(c.w, http.StatusAccepted, c.showProject(p, "creating"))
	return nil
}

func (a *api) getProject(c call) error {
	respondJSON(c.w, http.StatusOK, c.showProject(c.project, "active"))
	return nil
}

func (a *api) projectStatus(c call) error {
	respondJSON(c.w, http.StatusOK, map[string]string{"domain": "ready", "project": "enabled"})
	return nil
}

func (a *api) deleteProject(c call) error {
	if err := a.DB.DeleteProject(c.project.ID); err != nil {
		return err
	}
	a.killRuns(func(r *run) bool { return r.project.ID == c.project.ID })
	respondJSON(c.w, http.StatusAccepted, nil)
	return nil
}

func (c call) showProject(p state.Project, status string) any {
	return map[string]any{
		"account_id": "local", "created_at": formatTime(p.Created), "crn": "crn:v1:local:public:codeengine:" + p.Region + ":a/local:" + p.ID + "::",
		"href": c.href(p.ID), "id": p.ID, "name": p.Name, "region": p.Region, "resource_group_id": p.ResourceGroupID,
		"resource_type": "project_v2", "status": status,
	}
}
