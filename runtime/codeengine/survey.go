package codeengine

import (
	"context"

	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/parallel"
)

// survey is everything in a project that has to do with jobs.
type survey struct {
	jobs   []Job
	runs   []Run
	maps   []ConfigMap
	secret bool // that of the registry
}

func (c *Compute) survey(ctx context.Context) (s survey, err error) {
	err = parallel.Together(ctx,
		func(ctx context.Context) (err error) { s.jobs, err = c.client.Jobs(ctx); return err },
		func(ctx context.Context) (err error) { s.runs, err = c.client.Runs(ctx, ""); return err },
		func(ctx context.Context) (err error) { s.maps, err = c.client.ConfigMaps(ctx); return err },
		func(ctx context.Context) error {
			err := c.client.hasSecret(ctx, registrySecretName)
			s.secret = err == nil
			if fault.Is(err, fault.NotFound) {
				return nil
			}
			return err
		})
	return s, err
}

// The quotas of a project.
const quota = 100

// Use is how much of one quota of the project is used.
type Use struct {
	Name        string // "jobs", "job_runs", "config_maps"
	Used, Limit int
}

// Usage counts what the project has of that of which it may have so many.
func (c *Compute) Usage(ctx context.Context) ([]Use, error) {
	s, err := c.survey(ctx)
	return []Use{{"jobs", len(s.jobs), quota}, {"job_runs", len(s.runs), quota}, {"config_maps", len(s.maps), quota}}, err
}
