package codeengine

import (
	"context"
	"net/http"
	"time"

	"fn-runtime/runtime/fault"
)

// configMapDoc is a config map.
type configMapDoc struct {
	Name      string            `json:"name"`
	Data      map[string]string `json:"data,omitempty"`
	CreatedAt time.Time         `json:"created_at,omitzero"`
}

// configMapRow is the part of a config map that lists decode. It omits the data, which may be a megabyte.
type configMapRow struct {
	Name      string    `json:"name"`
	CreatedAt time.Time `json:"created_at"`
}

// configMaps returns the config maps of the project without their data.
func (c *Client) configMaps(ctx context.Context) ([]configMapDoc, error) {
	rows, err := list[configMapRow](ctx, subject{kind: "config map"}, "config_maps", nil, c.doInProject, "config_maps")
	all := make([]configMapDoc, len(rows))
	for i, r := range rows {
		all[i] = configMapDoc{Name: r.Name, CreatedAt: r.CreatedAt}
	}
	return all, err
}

// createConfigMap creates a config map. It returns a fault.Conflict error if one with this name exists.
func (c *Client) createConfigMap(ctx context.Context, m configMapDoc) error {
	return c.doInProject(ctx, request{method: http.MethodPost, path: []string{"config_maps"}, body: m, about: subject{"config map", m.Name}}, nil)
}

// ensureConfigMap creates a config map if it does not exist. The name must identify the content. A conflict does not
// prove that the config map exists because a busy service also reports conflicts.
func (c *Client) ensureConfigMap(ctx context.Context, m configMapDoc) (err error) {
	for range conflictTries {
		if err = c.createConfigMap(ctx, m); !fault.Is(err, fault.Conflict) {
			return err
		}
		if missing := c.findConfigMap(ctx, m.Name); !fault.Is(missing, fault.NotFound) {
			return missing
		}
	}
	return err
}

// findConfigMap returns nil if a config map exists, and a fault.NotFound error if it does not.
func (c *Client) findConfigMap(ctx context.Context, name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	return c.doInProject(ctx, request{method: http.MethodGet, path: []string{"config_maps", name}, about: subject{"config map", name}}, nil)
}

// deleteConfigMap deletes a config map. It returns a fault.NotFound error if it does not exist.
func (c *Client) deleteConfigMap(ctx context.Context, name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	return c.doInProject(ctx, request{method: http.MethodDelete, path: []string{"config_maps", name}, about: subject{"config map", name}}, nil)
}
