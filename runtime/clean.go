package runtime

import (
	"context"
	"strings"
	"time"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/parallel"
)

// Clean removes what Lithops keeps: its metadata, actions and packages of this user key, the objects of jobs, and the
// caches on this machine; with All the namespace too. Configuration is never removed. With OlderThan it is
// housekeeping: only objects of jobs go, because a runtime does not age.
func (s *Service) Clean(ctx context.Context, req CleanRequest) (Result, error) {
	op := i18n.M("Cleaning namespace {{.Namespace}} and bucket {{.Bucket}}", "Namespace", s.Target.Namespace, "Bucket", s.Target.Bucket)
	if req.OlderThan > 0 {
		if req.All {
			return Result{}, fault.New(fault.Usage, i18n.M("'--all' and '--older-than' contradict each other."), i18n.M("Use one of them."))
		}
		req.JobsOnly = true
	}
	end := s.begin(op)
	result, err := s.clean(ctx, req)
	err = fault.During(op, err)
	end(err)
	return result, err
}

func (s *Service) clean(ctx context.Context, req CleanRequest) (Result, error) {
	result := Result{DryRun: req.DryRun}
	c, err := s.planClean(ctx, req)
	if err != nil {
		return result, err
	}
	if req.DryRun {
		err := c.count(ctx)
		result.Items = c.items()
		return result, err
	}
	result.Items = c.items()
	if yes, err := confirmed(req.Confirm, &result); !yes {
		return result, err
	}
	c.apply(ctx)
	result.Items = c.items()
	untried(result.Items)
	return result, outcome(ctx, result.Items)
}

// cleaning is one run of Clean. Its groups stand in the order in which they go.
type cleaning struct {
	s        *Service
	req      CleanRequest
	cutoff   time.Time
	caches   []Item // first: the client reads them before the bucket
	metadata []Item // one for each prefix
	actions  []Item
	packages []Item
	jobs     []Item
	others   []Item // namespace
}

func (c *cleaning) items() []Item {
	var all []Item
	for _, group := range [][]Item{c.caches, c.metadata, c.actions, c.packages, c.jobs, c.others} {
		all = append(all, group...)
	}
	return all
}

func (s *Service) planClean(ctx context.Context, req CleanRequest) (*cleaning, error) {
	c := &cleaning{s: s, req: req}
	if req.OlderThan > 0 {
		c.cutoff = s.clock().Now().Add(-req.OlderThan)
	}
	c.jobs = []Item{{Change: Delete, Kind: KindObjects, Name: lithops.JobsPrefix, Status: Planned}}
	if req.JobsOnly {
		return c, nil
	}
	var prefixes []string
	err := parallel.Together(ctx, func(ctx context.Context) error { return c.readPackages(ctx) }, func(ctx context.Context) (err error) {
		prefixes, err = s.metadataFolders(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, p := range prefixes {
		c.metadata = append(c.metadata, Item{Change: Delete, Kind: KindObjects, Name: p, Status: Planned})
	}
	c.caches = []Item{{Change: Delete, Kind: KindCache, Name: lithops.RuntimesPrefix + string(s.Contract.Backend), Status: Planned}}
	if s.TempDir != "" {
		c.caches = append(c.caches, Item{Change: Delete, Kind: KindFiles, Name: s.TempDir, Status: Planned})
	}
	if req.All && s.Target.Backend == BackendIBMCF {
		c.others = append(c.others, Item{Change: Delete, Kind: KindNamespace, Name: s.Target.Namespace, Status: Planned})
	}
	return c, nil
}

// readPackages plans every action of the user's packages, also those that Lithops did not name: they are in its way,
// and its own clean removes them too.
func (c *cleaning) readPackages(ctx context.Context) error {
	s := c.s
	err := s.Namespace.Find(ctx)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	var names []string
	for pkg, err := range s.Functions.Packages(ctx) {
		if err != nil {
			return s.namespaceGone(ctx, err)
		}
		if s.ownPackage(pkg.Name) {
			names = append(names, pkg.Name)
		}
	}
	lists, errs := parallel.Each(ctx, parallel.NewGroup(s.Jobs), names, func(ctx context.Context, pkg string) ([]Item, error) {
		var items []Item
		for a, err := range s.Functions.Actions(ctx, pkg) {
			if err != nil {
				return nil, s.packageGone(ctx, pkg, err)
			}
			items = append(items, Item{Change: Delete, Kind: KindAction, Name: pkg + "/" + a.Name, Image: note(a, noteImage), Memory: a.MemoryMB, Status: Planned})
		}
		return items, nil
	})
	for i, name := range names {
		c.actions = append(c.actions, lists[i]...)
		c.packages = append(c.packages, Item{Change: Delete, Kind: KindPackage, Name: name, Status: Planned})
	}
	return parallel.First(errs)
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

func (c *cleaning) sweep(it *Item, dryRun bool) Sweep {
	return Sweep{Prefixes: []string{it.Name}, OlderThan: c.cutoff, DryRun: dryRun, Progress: c.s.progress}
}

// count fills in how many objects a dry run would delete.
func (c *cleaning) count(ctx context.Context) error {
	for _, group := range [][]Item{c.metadata, c.jobs} {
		for i := range group {
			purged, err := c.s.Store.Purge(ctx, c.sweep(&group[i], true))
			if err != nil {
				return err
			}
			group[i].Count = int64(purged.Seen)
		}
	}
	return nil
}

// apply goes through the groups. Metadata that could not be removed keeps its actions, because metadata without its
// action makes the client wait for ever; the job objects go side by side with all that.
func (c *cleaning) apply(ctx context.Context) {
	s := c.s
	jobs := make(chan struct{})
	var panicked error
	go func() {
		defer close(jobs)
		panicked = fault.Try(func() error { c.purge(ctx, c.jobs); return nil })
	}()
	defer func() {
		<-jobs
		fault.Panic(panicked)
	}()
	if c.req.JobsOnly {
		return
	}
	ok := c.do(ctx, c.caches, func(_ context.Context, it *Item) error {
		if it.Kind == KindFiles {
			return lithops.RemoveTemp(s.TempDir)
		}
		return s.Cache.RemoveAll(s.Contract.Backend)
	})
	ok = c.purge(ctx, c.metadata) && ok
	if !ok {
		return
	}
	ok = c.do(ctx, c.actions, func(ctx context.Context, it *Item) error {
		pkg, name, _ := strings.Cut(it.Name, "/")
		return s.actionGone(ctx, pkg, name, s.Functions.DeleteAction(ctx, pkg, name))
	})
	if !ok {
		return
	}
	ok = c.do(ctx, c.packages, func(ctx context.Context, it *Item) error {
		return s.packageGone(ctx, it.Name, s.Functions.DeletePackage(ctx, it.Name))
	})
	if ok {
		c.do(ctx, c.others, func(ctx context.Context, _ *Item) error { return s.spaceGone(ctx, s.Namespace.Delete(ctx)) })
	}
}

// do works on a group of items side by side and tells whether all of it is done.
func (c *cleaning) do(ctx context.Context, items []Item, work func(context.Context, *Item) error) bool {
	indexes := make([]int, len(items))
	for i := range items {
		indexes[i] = i
	}
	_, errs := parallel.Each(ctx, parallel.NewGroup(c.s.Jobs), indexes, func(ctx context.Context, i int) (struct{}, error) {
		ctx, err := parallel.Whole(ctx)
		if err == nil {
			err = work(ctx, &items[i])
		}
		return struct{}{}, err
	})
	ok := true
	for i, err := range errs {
		if err != nil && skipped(err) {
			err = errSkipped
		}
		items[i].settle(err)
		ok = ok && err == nil
	}
	return ok
}

// purge empties prefixes; the store works on a stream and is bounded by itself.
func (c *cleaning) purge(ctx context.Context, items []Item) bool {
	ok := true
	for i := range items {
		it := &items[i]
		purged, err := c.s.Store.Purge(ctx, c.sweep(it, false))
		it.Count = int64(purged.Deleted)
		if err == nil && len(purged.Failed) > 0 {
			err = fault.New(fault.Failed,
				i18n.N("{{.Count}} object below {{.Prefix}} could not be deleted.", "{{.Count}} objects below {{.Prefix}} could not be deleted.", max(purged.Seen-purged.Deleted, len(purged.Failed)), "Prefix", it.Name),
				i18n.M("Run the same command again.")).With(lastLines(purged.Failed)...)
		}
		if err != nil && ctx.Err() != nil {
			err = errSkipped
		}
		it.settle(err)
		ok = ok && err == nil
	}
	return ok
}
