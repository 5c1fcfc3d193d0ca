package codeengine

import (
	"context"
	"net/http"
	"time"

	"fn-runtime/runtime/fault"
)

// configMapDoc is one config map. Lists give its data, too, which is left aside.
type configMapDoc struct {
	Name      string            `json:"name"`
	Data      map[string]string `json:"data,omitempty"`
	CreatedAt time.Time         `json:"created_at,omitzero"`
}

// configMapRow is what is read of a config map: not its data, which may be a megabyte.
type configMapRow struct {
	Name      string    `json:"name"`
	CreatedAt time.Time `json:"created_at"`
}

// configMaps lists the config maps of the project, without their data.
func (c *Client) configMaps(ctx context.Context) ([]configMapDoc, error) {
	rows, err := list[configMapRow](ctx, subject{kind: "config map"}, "config_maps", nil, c.in, "config_maps")
	all := make([]configMapDoc, len(rows))
	for i, r := range rows {
		all[i] = configMapDoc{Name: r.Name, CreatedAt: r.CreatedAt}
	}
	return all, err
}

// createConfigMap makes a config map; fault.Conflict when there is one of that name.
func (c *Client) createConfigMap(ctx context.Context, m configMapDoc) error {
	return c.in(ctx, request{method: http.MethodPost, path: []string{"config_maps"}, body: m, about: subject{"config map", m.Name}}, nil)
}

// ensureConfigMap makes a config map whose name says what is in it, unless it is there. A conflict alone does not tell
// that: a busy service answers so, too.
func (c *Client) ensureConfigMap(ctx context.Context, m configMapDoc) (err error) {
	for range conflictTries {
		if err = c.createConfigMap(ctx, m); !fault.Is(err, fault.Conflict) {
			return err
		}
		if missing := c.hasConfigMap(ctx, m.Name); !fault.Is(missing, fault.NotFound) {
			return missing
		}
	}
	return err
}

// hasConfigMap reads a config map; fault.NotFound.
func (c *Client) hasConfigMap(ctx context.Context, name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	return c.in(ctx, request{method: http.MethodGet, path: []string{"config_maps", name}, about: subject{"config map", name}}, nil)
}

// deleteConfigMap removes a config map; fault.NotFound.
func (c *Client) deleteConfigMap(ctx context.Context, name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	return c.in(ctx, request{method: http.MethodDelete, path: []string{"config_maps", name}, about: subject{"config map", name}}, nil)
}
