package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// point is the same operation at one size. It shows how requests, time and memory grow.
type point struct {
	Work     string        `json:"work"`
	Size     int           `json:"size"`
	Requests int           `json:"requests"`
	Took     time.Duration `json:"took"`
	Peak     int64         `json:"peak"` // maximum memory in bytes
}

// growth measures list, update, delete and clean at 1, 10 and 100 times a size, with 50 ms per request.
func growth(ctx context.Context, b *bench) ([]row, error) {
	if err := growRuntimes(ctx, b); err != nil {
		return nil, err
	}
	err := growClean(ctx, b)
	slices.SortStableFunc(b.points, func(x, y point) int { return strings.Compare(x.Work, y.Work) })
	return nil, err
}

func growRuntimes(ctx context.Context, b *bench) error {
	a, err := newAccount(ctx, b)
	if err != nil {
		return err
	}
	defer a.close()
	replay, err := a.replay(ctx)
	if err != nil {
		return err
	}
	a.compute.Inject(replay)
	a.delay(requestDelay)
	for _, n := range []int{10, 100, 1000} {
		if err := a.seed(ctx, n, false); err != nil {
			return err
		}
		c, err := a.medianOf(ctx, 3, func(ctx context.Context) (cost, error) { return a.ours(ctx, "list") })
		if err != nil {
			return err
		}
		b.addPoint("list, runtimes", n, c)
		if c, err = a.ours(ctx, "delete", "all", "-f"); err != nil {
			return err
		}
		b.addPoint("delete all, runtimes", n, c)
	}
	for _, n := range []int{1, 10, 100} {
		if err := a.seed(ctx, n, true); err != nil {
			return err
		}
		c, err := a.ours(ctx, "update", "all")
		if err != nil {
			return err
		}
		b.addPoint("update all, runtimes", n, c)
	}
	return nil
}

func growClean(ctx context.Context, b *bench) error {
	c, err := newCleaning(ctx, b)
	if err != nil {
		return err
	}
	defer c.close()
	c.delay(requestDelay)
	for _, n := range []int{1000, 10_000, 100_000} {
		c.count = n
		done, err := c.withFilledBucket(func(ctx context.Context) (cost, error) { return c.ours(ctx, "clean", "--jobs-only", "-f") })(ctx)
		if err != nil {
			return err
		}
		b.addPoint("clean, objects", n, done)
	}
	return nil
}

// addPoint adds one point to the growth table.
func (b *bench) addPoint(work string, size int, c cost) {
	b.points = append(b.points, point{Work: work, Size: size, Requests: c.requests, Took: c.took, Peak: c.peak})
	b.logf("%s %d: %s, %d requests, %s", work, size, round(c.took), c.requests, formatMB(c.peak))
}

func growthTable(points []point) [][]string {
	table := [][]string{{"Operation", "Size", "Requests", "Time", "Peak memory"}}
	for _, p := range points {
		table = append(table, []string{p.Work, fmt.Sprint(p.Size), fmt.Sprint(p.Requests), round(p.Took).String(), formatMB(p.Peak)})
	}
	return table
}
