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

// Clean removes what Lithops keeps: its metadata, the runtimes of this user key with what belongs to them, the objects of
// jobs, and the caches on this machine; with All the place too. Configuration is never removed. With OlderThan it is
// housekeeping: only objects of jobs go, because a runtime does not age.
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
		folders, leftovers, err := s.leftovers(ctx)
		if err != nil {
			return Result{DryRun: req.DryRun}, err
		}
		// The client reads the caches before the bucket; metadata that could not be removed keeps its runtimes, because
		// metadata without its runtime makes the client wait for ever.
		p.Then(s.cleanCaches()...)
		metadata := p.Purge(cutoff, folders...)
		purges = append([]*plan.Purge{metadata}, jobs)
		p.Then(metadata.Task)
		metadata.After = nil // also when a cache could not be removed
		for _, group := range leftovers {
			p.Then(s.cleanResources(group)...)
		}
	}
	p.Concurrently(jobs.Task)
	if req.All {
		p.Then(plan.Step(plan.Item{Change: Delete, Kind: KindScope, Term: s.Compute.Terms().Scope, Name: s.Target.Namespace, Reason: s.Compute.Terms().Removal},
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

// leftovers finds what is to be removed: the prefixes of metadata, and what the service has in groups that go one after
// the other.
func (s *Service) leftovers(ctx context.Context) (folders []string, groups [][]entity.Resource, err error) {
	err = parallel.Run(ctx, func(ctx context.Context) (err error) {
		groups, err = s.Compute.Leftovers(ctx)
		return err
	}, func(ctx context.Context) (err error) {
		folders, err = s.metadataFolders(ctx)
		return err
	})
	return folders, groups, err
}

// metadataFolders finds the prefixes that hold metadata of this backend: one for the newer releases, and one for each
// release before 2.7 that is in the bucket, whose prefix begins with its version.
func (s *Service) metadataFolders(ctx context.Context) ([]string, error) {
	backend := string(s.Contract.Backend)
	folders := []string{lithops.RuntimesPrefix + backend + "/"}
	seen := map[string]bool{}
	for object, err := range s.Store.List(ctx, lithops.RuntimesPrefix+"2.") {
		if err != nil {
			return nil, err
		}
		ref, ok := lithops.ParseMetadataKey(object.Key)
		if ok && ref.Backend == s.Contract.Backend && !seen[ref.Version] {
			seen[ref.Version] = true
			folders = append(folders, lithops.RuntimesPrefix+ref.Version+"/"+backend+"/")
		}
	}
	return folders, nil
}

// cleanCaches removes what the client keeps on this machine, where it keeps anything.
func (s *Service) cleanCaches() (tasks []*plan.Task) {
	if s.Cache.Holds(s.Contract.Backend) {
		tasks = append(tasks, plan.Step(plan.Item{Change: Delete, Kind: KindCache, Name: lithops.RuntimesPrefix + string(s.Contract.Backend)},
			func(context.Context) error { return s.Cache.RemoveAll(s.Contract.Backend) }))
	}
	if files := lithops.TempFiles(s.TempDir); len(files) > 0 {
		tasks = append(tasks, plan.Step(plan.Item{Change: Delete, Kind: KindFiles, Name: s.TempDir, Reason: i18n.M("Job files. Buckets of the storage 'localhost' in this directory are kept.")},
			func(context.Context) error { return lithops.RemoveTemp(files) }))
	}
	return tasks
}

// cleanResources removes a group of what the service has.
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
