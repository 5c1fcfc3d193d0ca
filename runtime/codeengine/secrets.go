package codeengine

import (
	"context"
	"net/http"
)

// secretDoc is the credentials of a registry.
type secretDoc struct {
	Name   string         `json:"name,omitempty"`
	Format string         `json:"format"` // "registry"
	Data   registrySecret `json:"data"`
}

type registrySecret struct {
	Server   string `json:"server"`
	Username string `json:"username"`
	Password string `json:"password"`
}

// hasSecret reads a secret; fault.NotFound.
func (c *Client) hasSecret(ctx context.Context, name string) error {
	return c.in(ctx, request{method: http.MethodGet, path: []string{"secrets", name}, about: subject{"secret", name}}, nil)
}

// createSecret makes a secret; fault.Conflict when there is one of that name.
func (c *Client) createSecret(ctx context.Context, s secretDoc) error {
	return c.in(ctx, request{method: http.MethodPost, path: []string{"secrets"}, body: s, about: subject{"secret", s.Name}}, nil)
}

// replaceSecret returns a secret other data; fault.NotFound.
func (c *Client) replaceSecret(ctx context.Context, s secretDoc) error {
	name := s.Name
	s.Name = ""
	return c.in(ctx, request{method: http.MethodPut, path: []string{"secrets", name}, body: s, match: "*", about: subject{"secret", name}}, nil)
}

// deleteSecret removes a secret; fault.NotFound.
func (c *Client) deleteSecret(ctx context.Context, name string) error {
	return c.in(ctx, request{method: http.MethodDelete, path: []string{"secrets", name}, about: subject{"secret", name}}, nil)
}
