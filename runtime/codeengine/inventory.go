package codeengine

import (
	"context"
	"strings"
	"time"

	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/parallel"
)

// inventory holds the resources of a project that are related to jobs.
type inventory struct {
	jobs       []jobDoc
	runs       []runDoc
	configMaps []configMapDoc
	hasSecret  bool // the registry secret exists
}

// inventory reads the resources concurrently.
func (c *Compute) inventory(ctx context.Context) (s inventory, err error) {
	err = parallel.Run(ctx,
		func(ctx context.Context) (err error) { s.jobs, err = c.client.jobs(ctx); return err },
		func(ctx context.Context) (err error) { s.runs, err = c.client.runs(ctx, ""); return err },
		func(ctx context.Context) (err error) { s.configMaps, err = c.client.configMaps(ctx); return err },
		func(ctx context.Context) error {
			err := c.client.findSecret(ctx, registrySecretName)
			s.hasSecret = err == nil
			if fault.Is(err, fault.NotFound) {
				return nil
			}
			return err
		})
	return s, err
}

// quota is the maximum number of jobs, of job runs and of config maps in a project.
const quota = 100

// Usage returns how much of each quota the project uses, and the resources that are no longer needed.
func (c *Compute) Usage(ctx context.Context) (entity.Usage, error) {
	s, err := c.inventory(ctx)
	if fault.Is(err, fault.NotFound) && fault.Is(c.client.find(ctx), fault.NotFound) {
		return entity.Usage{}, nil
	}
	return entity.Usage{
		Quotas:    []entity.Quota{{Term: jobTerm, Used: len(s.jobs), Limit: quota}, {Term: runTerm, Used: len(s.runs), Limit: quota}, {Term: configMapTerm, Used: len(s.configMaps), Limit: quota}},
		Leftovers: s.unused(time.Now()),
	}, err
}

// clientMetadataRun is the name of the metadata run of every Lithops client in the project.
const clientMetadataRun = "lithops-runtime-metadata"

// unused returns the resources that are no longer needed: runs that ended long ago, and config maps that neither a run
// nor a job uses. A client creates a config map before its run, so a new config map is kept. The metadata runs of all
// clients have the same name. While such a run exists, any config map of a metadata run may belong to it and is kept
// for longer.
func (s inventory) unused(now time.Time) (unused []entity.Resource) {
	inUse, clientRunning := map[string]bool{}, false
	for _, r := range s.runs {
		clientRunning = clientRunning || r.Name == clientMetadataRun
		done, _ := r.ended()
		if inUse[r.Name] = !done || now.Sub(r.CreatedAt) < maxRunAge; !inUse[r.Name] && isLithopsName(r.Name) {
			unused = append(unused, entity.Resource{Term: runTerm, Name: r.Name})
		}
	}
	code := map[string]bool{}
	for _, j := range s.jobs {
		code[codeOf(j)] = true
	}
	for _, m := range s.configMaps {
		minAge := idleAge
		if clientRunning && strings.HasSuffix(m.Name, "-metadata") {
			minAge = maxRunAge
		}
		if isLithopsName(m.Name) && !inUse[m.Name] && !code[m.Name] && now.Sub(m.CreatedAt) > minAge {
			unused = append(unused, entity.Resource{Term: configMapTerm, Name: m.Name})
		}
	}
	return unused
}
