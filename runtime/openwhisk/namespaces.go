package openwhisk

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/transport"
)

// plan is the resource plan for IBM Cloud Functions namespaces. Lithops uses the same plan.
const plan = "functions-base-plan"

// namespacePage is the response of IBM Cloud to GET /namespaces.
type namespacePage struct {
	Total      int `json:"total_count"`
	Namespaces []struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	} `json:"namespaces"`
}

// namespaces returns the namespaces that the credentials can access. It supports the formats of IBM Cloud and of
// Apache OpenWhisk.
func (c *Client) namespaces(ctx context.Context) ([]entity.Scope, error) {
	about := subject{kind: "namespace"}
	var all []entity.Scope
	read, size, query := 0, int64(0), ""
	next := func(ctx context.Context) ([]entity.Scope, bool, error) {
		resp, err := c.send(ctx, "", request{http.MethodGet, "namespaces" + query, nil})
		if err != nil {
			return nil, false, err
		}
		if resp.status >= 300 {
			return nil, false, c.responseError(ctx, about, resp)
		}
		if size += int64(len(resp.body)); size > c.listBytes {
			return nil, false, endlessList(about)
		}
		var list []entity.Scope
		if bytes.HasPrefix(bytes.TrimSpace(resp.body), []byte("[")) { // Apache OpenWhisk: ["name"]
			var names []string
			if err := json.Unmarshal(resp.body, &names); err != nil {
				return nil, false, unreadableResponse(about, err)
			}
			for _, n := range names {
				list = append(list, entity.Scope{ID: n, Name: n})
			}
			return list, false, nil
		}
		var page namespacePage
		if err := json.Unmarshal(resp.body, &page); err != nil {
			return nil, false, unreadableResponse(about, err)
		}
		for _, n := range page.Namespaces {
			list = append(list, entity.Scope{ID: n.ID, Name: n.Name})
		}
		read += len(list)
		query = "?limit=" + strconv.Itoa(len(list)) + "&offset=" + strconv.Itoa(read)
		return list, len(list) > 0 && read < page.Total, nil
	}
	for ns, err := range transport.ReadAhead(ctx, next, func() error { return endlessList(about) }) {
		if err != nil {
			return nil, err
		}
		all = append(all, ns)
	}
	return all, nil
}

// createNamespace creates an IAM namespace in a resource group. Apache OpenWhisk does not support this request; the
// error is then fault.NotFound or fault.Invalid.
func (c *Client) createNamespace(ctx context.Context, name, resourceGroupID string) (entity.Scope, error) {
	about := subject{"namespace", name}
	resp, err := c.send(ctx, "", request{http.MethodPost, "namespaces", map[string]string{
		"name": name, "description": "Namespace for Lithops, made by fn-runtime",
		"resource_group_id": resourceGroupID, "resource_plan_id": plan,
	}})
	if err != nil {
		return entity.Scope{}, err
	}
	if resp.status >= 300 {
		return entity.Scope{}, c.responseError(ctx, about, resp)
	}
	var created struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(resp.body, &created); err != nil || created.ID == "" {
		return entity.Scope{}, unreadableResponse(about, err)
	}
	return entity.Scope{ID: created.ID, Name: name}, nil
}

// deleteNamespace deletes an IAM namespace with all its content. It returns a fault.NotFound error if the namespace
// does not exist.
func (c *Client) deleteNamespace(ctx context.Context, id string) error {
	if id == "" || id == "." || id == ".." {
		return fault.New(fault.Invalid, i18n.M("A namespace without a name cannot be deleted."), i18n.Message{})
	}
	resp, err := c.send(ctx, "", request{http.MethodDelete, "namespaces/" + url.PathEscape(id), nil})
	if err != nil {
		return err
	}
	if resp.status >= 300 {
		return c.responseError(ctx, subject{"namespace", id}, resp)
	}
	return nil
}
