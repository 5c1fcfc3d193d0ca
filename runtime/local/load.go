package local

import (
	"context"
	"encoding/json"
	"net/http"

	"fn-runtime/runtime/local/invoker"
)

// Load is the current load of the endpoint's workers.
type Load = invoker.Load

// loadReporter is an invoker that can report its load.
type loadReporter interface{ Load() Load }

// QueryLoad queries the load of the endpoint in dir. It returns nil if the endpoint does not run or its invoker does
// not report a load.
func QueryLoad(ctx context.Context, dir string) (*Load, error) {
	i, err := Status(ctx, dir)
	if err != nil || !i.Running {
		return nil, err
	}
	data, err := adminRequest(ctx, i, http.MethodGet, "health")
	if err != nil {
		return nil, err
	}
	var h health
	err = json.Unmarshal(data, &h)
	return h.Load, err
}
