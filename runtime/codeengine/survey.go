package codeengine

import (
	"context"
	"strings"
	"time"

	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/parallel"
)

// survey is everything in a project that has to do with jobs.
type survey struct {
	jobs   []jobDoc
	runs   []runDoc
	maps   []configMapDoc
	secret bool // that of the registry
}

func (c *Compute) survey(ctx context.Context) (s survey, err error) {
	err = parallel.Run(ctx,
		func(ctx context.Context) (err error) { s.jobs, err = c.client.jobs(ctx); return err },
		func(ctx context.Context) (err error) { s.runs, err = c.client.runs(ctx, ""); return err },
		func(ctx context.Context) (err error) { s.maps, err = c.client.configMaps(ctx); return err },
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

// quota is how many jobs, runs and config maps a project may have, each.
const quota = 100

// Usage counts what the project has of that of which it may have so many.
func (c *Compute) Usage(ctx context.Context) (entity.Usage, error) {
	s, err := c.survey(ctx)
	if fault.Is(err, fault.NotFound) && fault.Is(c.client.find(ctx), fault.NotFound) {
		return entity.Usage{}, nil
	}
	return entity.Usage{
		Quotas:    []entity.Quota{{Term: jobTerm, Used: len(s.jobs), Limit: quota}, {Term: runTerm, Used: len(s.runs), Limit: quota}, {Term: configMapTerm, Used: len(s.maps), Limit: quota}},
		Leftovers: s.left(time.Now()),
	}, err
}

// clientsMetaRun is the run for metadata of every client in the project.
const clientsMetaRun = "lithops-runtime-metadata"

// left returns the runs and config maps that nobody has need of any more: those of runs that ended long ago, and config maps
// without a run. Clients make the map first, and all name the run for metadata alike: while there is one, it may be that of
// any such map.
func (s survey) left(now time.Time) (left []entity.Resource) {
	inUse, describing := map[string]bool{}, false
	for _, r := range s.runs {
		describing = describing || r.Name == clientsMetaRun
		done, _ := r.ended()
		if inUse[r.Name] = !done || now.Sub(r.CreatedAt) < oldestCall; !inUse[r.Name] && lithopsMade(r.Name) {
			left = append(left, entity.Resource{Term: runTerm, Name: r.Name})
		}
	}
	code := map[string]bool{}
	for _, j := range s.jobs {
		code[codeOf(j)] = true
	}
	for _, m := range s.maps {
		young := youngMap
		if describing && strings.HasSuffix(m.Name, "-metadata") {
			young = oldestCall
		}
		if lithopsMade(m.Name) && !inUse[m.Name] && !code[m.Name] && now.Sub(m.CreatedAt) > young {
			left = append(left, entity.Resource{Term: configMapTerm, Name: m.Name})
		}
	}
	return left
}
