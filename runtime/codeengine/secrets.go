package codeengine

import (
	"context"
	"net/http"
)

// Secret is the credentials of a registry.
type Secret struct {
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

// CreateSecret makes a secret; fault.Conflict when there is one of that name.
func (c *Client) CreateSecret(ctx context.Context, s Secret) error {
	return c.in(ctx, request{method: http.MethodPost, path: []string{"secrets"}, body: s, about: subject{"secret", s.Name}}, nil)
}

// ReplaceSecret gives a secret other data; fault.NotFound.
func (c *Client) ReplaceSecret(ctx context.Context, s Secret) error {
	name := s.Name
	s.Name = ""
	return c.in(ctx, request{method: http.MethodPut, path: []string{"secrets", name}, body: s, match: "*", about: subject{"secret", name}}, nil)
}

// DeleteSecret removes a secret; fault.NotFound.
func (c *Client) DeleteSecret(ctx context.Context, name string) error {
	return c.in(ctx, request{method: http.MethodDelete, path: []string{"secrets", name}, about: subject{"secret", name}}, nil)
}
