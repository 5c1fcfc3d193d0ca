package rest

import (
	"errors"
	"net/http"

	"github.com/google/uuid"

	"fn-runtime/runtime/local/internal/spool"
	"fn-runtime/runtime/local/internal/state"
)

// namespaceDoc is a namespace in the form of IBM Cloud Functions, for bearer tokens.
type namespaceDoc struct {
	ID              string `json:"id"`
	Name            string `json:"name"`
	Description     string `json:"description,omitempty"`
	ResourceGroupID string `json:"resource_group_id,omitempty"`
	ResourcePlanID  string `json:"resource_plan_id,omitempty"`
	Location        string `json:"location"`
}

func describe(n state.Namespace) namespaceDoc {
	return namespaceDoc{n.ID, n.Name, n.Description, n.ResourceGroupID, n.ResourcePlanID, "local"}
}

// listNamespaces responds in the form of IBM Cloud Functions to bearer tokens, and with the namespace of the API key to
// Basic authentication. Lithops sends a body with the GET request, which is ignored.
func (a *api) listNamespaces(c call) error {
	if who, _ := a.identify(c.r); who == basic {
		a.respond(c, http.StatusOK, []string{DefaultNamespace})
		return nil
	}
	skip, limit, err := paging(c.r.URL.Query(), "namespaces")
	if err != nil {
		return err
	}
	if !c.r.URL.Query().Has("limit") {
		limit = maxPage
	}
	all, err := a.DB.Namespaces()
	if err != nil {
		return err
	}
	docs := []namespaceDoc{}
	for i, n := range all {
		if i >= skip && len(docs) < limit {
			docs = append(docs, describe(n))
		}
	}
	a.respond(c, http.StatusOK, map[string]any{"namespaces": docs, "limit": limit, "offset": skip, "total_count": len(all)})
	return nil
}

func (a *api) createNamespace(c call) error {
	if who, _ := a.identify(c.r); who == basic {
		return errNoRoute
	}
	var in struct {
		Name            string `json:"name"`
		Description     string `json:"description"`
		ResourceGroupID string `json:"resource_group_id"`
		ResourcePlanID  string `json:"resource_plan_id"`
	}
	if err := a.decode(c, spool.InMemory, &in); err != nil {
		return err
	}
	if err := checkName(in.Name); err != nil {
		return err
	}
	n := state.Namespace{
		ID: uuid.NewString(), Name: in.Name, Description: in.Description,
		ResourceGroupID: in.ResourceGroupID, ResourcePlanID: in.ResourcePlanID,
	}
	err := a.DB.CreateNamespace(n)
	if errors.Is(err, state.ErrExists) {
		return errExists
	}
	if err != nil {
		return err
	}
	a.respond(c, http.StatusCreated, describe(n))
	return nil
}

func (a *api) getNamespace(c call) error {
	if who, _ := a.identify(c.r); who == basic {
		return errNotFound
	}
	a.respond(c, http.StatusOK, describe(c.ns))
	return nil
}

// deleteNamespace deletes a namespace with all its content. The default namespace cannot be deleted, because the
// endpoint requires it.
func (a *api) deleteNamespace(c call) error {
	if who, _ := a.identify(c.r); who == basic {
		return errNoRoute
	}
	if c.ns.ID == a.NamespaceID {
		return forbidden(c.ns.Name)
	}
	if err := a.DB.DeleteNamespace(c.ns.ID); err != nil {
		return err
	}
	a.respond(c, http.StatusOK, describe(c.ns))
	return nil
}
