package main

import (
	"context"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"fn-runtime/test/proxy"
)

// parallel calls work for each item, with at most limit calls at a time. The first error stops it.
func parallel[T any](ctx context.Context, limit int, items []T, work func(context.Context, T) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(limit)
	for _, item := range items {
		g.Go(func() error { return work(ctx, item) })
	}
	return g.Wait()
}

// medianRun returns the run with the median time.
func medianRun(all []cost) cost {
	all = slices.Clone(all)
	slices.SortFunc(all, func(a, b cost) int { return int(a.took - b.took) })
	return all[len(all)/2]
}

// steps returns the length of the longest chain of requests in which each began after the previous one had ended.
// Concurrent requests count as one step.
func steps(requests []proxy.Request) (n int) {
	requests = slices.Clone(requests)
	slices.SortFunc(requests, func(a, b proxy.Request) int { return a.End.Compare(b.End) })
	var end time.Time
	for _, r := range requests {
		if !r.End.IsZero() && !r.Start.Before(end) {
			n, end = n+1, r.End
		}
	}
	return n
}
