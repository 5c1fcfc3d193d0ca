package openwhisk

import (
	"context"
	"encoding/json"
	"net/http"
)

// limits holds the limits that an installation sets for a namespace; 0 means not reported.
type limits struct {
	MinMemoryMB  int `json:"minActionMemory"`
	MaxMemoryMB  int `json:"maxActionMemory"`
	MaxTimeoutMS int `json:"maxActionTimeout"`
}

// limits requests the limits of the namespace. Servers without this resource return 404.
func (c *Client) limits(ctx context.Context) (l limits, err error) {
	about := subject{"namespace", c.Scope().Name}
	resp, err := c.sendInNamespace(ctx, false, request{http.MethodGet, "limits", nil})
	if err == nil && resp.status >= 300 {
		err = c.responseError(ctx, about, resp)
	}
	if err != nil {
		return l, err
	}
	if json.Unmarshal(resp.body, &l) != nil || l.MinMemoryMB < 0 || l.MaxMemoryMB < 0 || l.MaxTimeoutMS < 0 {
		return limits{}, unreadableResponse(about, err)
	}
	return l, nil
}
