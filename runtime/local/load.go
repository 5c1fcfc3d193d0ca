package local

import (
	"context"
	"encoding/json"
	"net/http"

	"fn-runtime/runtime/local/invoker"
)

// Load is what the workers of the endpoint are busy with.
type Load = invoker.Load

// measured is an invoker that knows its load.
type measured interface{ Load() Load }

// AskLoad asks the endpoint in dir what its workers are busy with; nil when it does not run or does not know.
func AskLoad(ctx context.Context, dir string) (*Load, error) {
	i, err := Status(ctx, dir)
	if err != nil || !i.Running {
		return nil, err
	}
	data, err := ask(ctx, i, http.MethodGet, "health")
	if err != nil {
		return nil, err
	}
	var h health
	err = json.Unmarshal(data, &h)
	return h.Load, err
}
