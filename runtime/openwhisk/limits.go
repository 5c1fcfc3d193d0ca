package openwhisk

import (
	"context"
	"encoding/json"
	"net/http"
)

// limits are those that an installation sets for a namespace; 0 where it does not tell.
type limits struct {
	MinMemoryMB  int `json:"minActionMemory"`
	MaxMemoryMB  int `json:"maxActionMemory"`
	MaxTimeoutMS int `json:"maxActionTimeout"`
}

// limits reads the limits of the namespace. A server without them answers 404.
func (c *Client) limits(ctx context.Context) (l limits, err error) {
	about := subject{"namespace", c.Scope().Name}
	a, err := c.raw(ctx, false, request{http.MethodGet, "limits", nil})
	if err == nil && a.status >= 300 {
		err = c.refusal(ctx, about, a)
	}
	if err != nil {
		return l, err
	}
	if json.Unmarshal(a.body, &l) != nil || l.MinMemoryMB < 0 || l.MaxMemoryMB < 0 || l.MaxTimeoutMS < 0 {
		return limits{}, unreadable(about, err)
	}
	return l, nil
}
