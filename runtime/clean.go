package runtime

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/parallel"
	"fn-runtime/runtime/plan"
)

// Clean deletes all data of Lithops: its metadata, the runtimes of this user key with their resources, the objects of
// jobs, and the caches on this machine. With All it also deletes the scope. It never deletes configuration. With
// OlderThan it deletes only old objects of jobs, because runtimes do not expire.
func (s *Service) Clean(ctx context.Context, req CleanRequest) (Result, error) {
	op := i18n.M("Cleaning {{.Place}} and bucket {{.Bucket}}", "Place", s.Scope(), "Bucket", s.Target.Bucket)
	if req.OlderThan > 0 {
		if req.All {
			return Result{}, fault.New(fault.Usage, i18n.M("'--all' and '--older-than' cannot be used together."), i18n.M("Specify only one."))
		}
		req.JobsOnly = true
	}
	if req.All && s.Target.Backend != BackendIBMCF && s.Target.Backend != BackendCodeEngine {
		return Result{}, fault.New(fault.Usage, i18n.M("Namespace {{.Namespace}} is tied to its API key and cannot be deleted.", "Namespace", s.Target.Namespace),
			i18n.M("Omit '--all' to delete only the Lithops resources in the namespace."))
	}
	return during(s, op, func() (Result, error) { return s.clean(ctx, req) })
}

func (s *Service) clean(ctx context.Context, req CleanRequest) (Result, error) {
	var cutoff time.Time
	if req.OlderThan > 0 {
		cutoff = time.Now().Add(-req.OlderThan)
	}
	p := plan.New(&s.Site, lithops.Bundle{})
	jobs := p.Purge(cutoff, lithops.JobsPrefix)
	purges := []*plan.Purge{jobs}
	if !req.JobsOnly {
		prefixes, leftovers, err := s.leftovers(ctx)
		if err != nil {
			return Result{DryRun: req.DryRun}, err
		}
		// Delete the caches first, because the client reads them before the bucket. If metadata cannot be deleted, keep
		// its runtimes, because metadata without a runtime makes the client wait indefinitely.
		p.Then(s.cleanCaches()...)
		metadata := p.Purge(cutoff, prefixes...)
		purges = append([]*plan.Purge{metadata}, jobs)
		p.Then(metadata.Task)
		metadata.After = nil // run even if a cache entry could not be removed
		for _, group := range leftovers {
			p.Then(s.cleanResources(group)...)
		}
	}
	p.Concurrently(jobs.Task)
	if req.All {
		p.Then(plan.Step(plan.Item{Change: Delete, Kind: KindScope, Term: s.Compute.Terms().Scope, Name: s.Target.Namespace, Reason: s.Compute.Terms().DeleteWarning},
			s.Compute.DeleteScope))
	}
	var err error
	if req.DryRun {
		for _, purge := range purges {
			if err == nil {
				err = purge.Count(ctx)
			}
		}
	} else {
		err = p.Run(ctx, s.consent(p, req.Confirm))
	}
	return s.result(p, req.DryRun), err
}

// leftovers returns the prefixes of the metadata to delete, and the objects of the service to delete, in groups that
// are deleted one after the other.
func (s *Service) leftovers(ctx context.Context) (prefixes []string, groups [][]entity.Resource, err error) {
	err = parallel.Run(ctx, func(ctx context.Context) (err error) {
		groups, err = s.Compute.Leftovers(ctx)
		return err
	}, func(ctx context.Context) (err error) {
		prefixes, err = s.metadataPrefixes(ctx)
		return err
	})
	return prefixes, groups, err
}

// metadataPrefixes returns the prefixes of the metadata of this backend: one for current releases, and one for each
// release before 2.7 in the bucket, because those prefixes start with the version.
func (s *Service) metadataPrefixes(ctx context.Context) ([]string, error) {
	backend := string(s.Contract.Backend)
	prefixes := []string{lithops.RuntimesPrefix + backend + "/"}
	seen := map[string]bool{}
	for object, err := range s.Store.List(ctx, lithops.RuntimesPrefix+"2.") {
		if err != nil {
			return nil, err
		}
		ref, ok := lithops.ParseMetadataKey(object.Key)
		if ok && ref.Backend == s.Contract.Backend && !seen[ref.Version] {
			seen[ref.Version] = true
			prefixes = append(prefixes, lithops.RuntimesPrefix+ref.Version+"/"+backend+"/")
		}
	}
	return prefixes, nil
}

// cleanCaches returns tasks that remove the client's files on this machine, if any.
func (s *Service) cleanCaches() (tasks []*plan.Task) {
	if s.Cache.HasMetadata(s.Contract.Backend) {
		tasks = append(tasks, plan.Step(plan.Item{Change: Delete, Kind: KindCache, Name: lithops.RuntimesPrefix + string(s.Contract.Backend)},
			func(context.Context) error { return s.Cache.RemoveAll(s.Contract.Backend) }))
	}
	if files := lithops.TempFiles(s.TempDir); len(files) > 0 {
		tasks = append(tasks, plan.Step(plan.Item{Change: Delete, Kind: KindFiles, Name: s.TempDir, Reason: i18n.M("Job files. Buckets of the storage backend 'localhost' in this directory are kept.")},
			func(context.Context) error { return lithops.RemoveTemp(files) }))
	}
	return tasks
}

// cleanResources returns tasks that delete one group of objects of the service.
func (s *Service) cleanResources(group []entity.Resource) (tasks []*plan.Task) {
	slices.SortStableFunc(group, func(a, b entity.Resource) int {
		return cmp.Or(strings.Compare(a.Image, b.Image), a.MemoryMB-b.MemoryMB)
	})
	for _, resource := range group {
		it := plan.Item{Change: Delete, Kind: KindResource, Term: resource.Term, Name: resource.Name, Image: resource.Image, Memory: resource.MemoryMB}
		if resource.Term.Word == s.Compute.Terms().Runtime.Word {
			it.Kind = KindRuntime
		}
		tasks = append(tasks, plan.Step(it, func(ctx context.Context) error { return s.Compute.DeleteResource(ctx, resource) }))
	}
	return tasks
}
