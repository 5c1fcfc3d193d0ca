package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
)

// deploySizes is the number of memory sizes that are deployed concurrently: thirty uploads of the archive, then thirty
// cold starts.
const deploySizes = 30

// sizes measures a deployment in many memory sizes on the local endpoint.
func sizes(ctx context.Context, b *bench) ([]row, error) {
	a, err := newAccount(ctx, b)
	if err != nil {
		return nil, err
	}
	defer a.close()
	all := make([]string, deploySizes)
	for i := range all {
		all[i] = strconv.Itoa(128 + 64*i) // in MB
	}
	ours, err := a.medianOf(ctx, 3, func(ctx context.Context) (cost, error) {
		if err := a.empty(ctx); err != nil {
			return cost{}, err
		}
		return measure(ctx, a.home, a.env(), a.b.bin, "deploy", "default", "-b", "local", "-m", strings.Join(all, ","))
	})
	if err != nil {
		return nil, err
	}
	return []row{{Work: fmt.Sprintf("deploy of %d sizes on the local endpoint", deploySizes), Ours: ours.took}}, nil
}
