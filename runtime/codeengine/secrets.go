package codeengine

import (
	"context"
	"net/http"
)

// secretDoc is a secret with the credentials of a registry.
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

// findSecret returns nil if a secret exists, and a fault.NotFound error if it does not.
func (c *Client) findSecret(ctx context.Context, name string) error {
	return c.doInProject(ctx, request{method: http.MethodGet, path: []string{"secrets", name}, about: subject{"secret", name}}, nil)
}

// createSecret creates a secret. It returns a fault.Conflict error if one with this name exists.
func (c *Client) createSecret(ctx context.Context, s secretDoc) error {
	return c.doInProject(ctx, request{method: http.MethodPost, path: []string{"secrets"}, body: s, about: subject{"secret", s.Name}}, nil)
}

// replaceSecret replaces the data of a secret. It returns a fault.NotFound error if the secret does not exist.
func (c *Client) replaceSecret(ctx context.Context, s secretDoc) error {
	name := s.Name
	s.Name = ""
	return c.doInProject(ctx, request{method: http.MethodPut, path: []string{"secrets", name}, body: s, ifMatch: "*", about: subject{"secret", name}}, nil)
}

// deleteSecret deletes a secret. It returns a fault.NotFound error if the secret does not exist.
func (c *Client) deleteSecret(ctx context.Context, name string) error {
	return c.doInProject(ctx, request{method: http.MethodDelete, path: []string{"secrets", name}, about: subject{"secret", name}}, nil)
}
