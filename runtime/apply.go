package runtime

import (
	"context"
	"errors"
	"io"
	"slices"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/parallel"
	"fn-runtime/runtime/plan"
	"fn-runtime/runtime/site"
)

// Declaration is a declared runtime with all its memory sizes.
type Declaration struct {
	Name     string // "default" or an image reference
	MemoryMB []int  // empty: the configured memory
	MilliCPU int    // 0: the default for the memory size
	TimeoutS int    // 0: the configured timeout
	InImage  bool   // the image contains the Lithops code
	Pin      bool
	Build    *BuildRequest         // nil: the image is in a registry
	Wrap     func(err error) error // adds the position of the declaration to an error; may be nil
}

// ApplyRequest describes the desired runtimes.
type ApplyRequest struct {
	Runtimes []Declaration
	Prune    bool // delete undeclared runtimes
	DryRun   bool
	Output   io.Writer // receives the output of builds
	// Confirm is called once with the plan before anything is changed if the plan deletes runtimes. A nil function
	// means yes.
	Confirm func(plan Result) (bool, error)
}

// Apply reconciles the deployed runtimes with a declared list. It builds images whose directory has changed since their
// last build, deploys missing runtimes and updates runtimes that differ. With Prune, it deletes all other runtimes of
// this user key, of any Lithops version. If everything is up to date, it writes nothing.
func (s *Service) Apply(ctx context.Context, req ApplyRequest) (Result, error) {
	op := i18n.M("Applying the declared runtimes to {{.Place}}", "Place", s.Scope())
	all, err := s.resolveDeclarations(ctx, req.Runtimes)
	if err != nil {
		return Result{DryRun: req.DryRun}, err
	}
	return during(s, op, func() (Result, error) { return s.apply(ctx, all, req) })
}

func (s *Service) apply(ctx context.Context, all []*declaredRuntime, req ApplyRequest) (Result, error) {
	none := Result{DryRun: req.DryRun}
	inv, bundle, err := s.readState(ctx, true, func(ctx context.Context) error { return s.declaredDigests(ctx, all) })
	if err == nil {
		err = s.readDeclared(ctx, inv, all)
	}
	if err != nil {
		return none, err
	}
	p := plan.New(&s.Site, bundle)
	var deployments []*plan.Deployment
	for _, d := range all {
		deployments = append(deployments, d.decide(p)...)
	}
	if err := s.checkFeasible(ctx, deployments); err != nil {
		return none, err
	}
	if slices.ContainsFunc(deployments, (*plan.Deployment).Changed) {
		prerequisites, err := s.missingPrerequisites(ctx, inv)
		if err != nil {
			return none, err
		}
		p.AddPrerequisites(prerequisites)
	}
	for _, d := range all {
		if d.image != nil {
			p.Build(d.image, d.deployments, func(ctx context.Context) (string, error) {
				built, err := s.Images.Build(ctx, d.build, req.Output)
				return built.Digest, d.wrap(err)
			})
		}
	}
	p.Deploy(deployments...)
	var ask func() (bool, error)
	if toDelete := undeclared(inv, deployments); req.Prune && len(toDelete) > 0 {
		p.Remove(inv, toDelete, i18n.M("It is not declared."))
		if req.Confirm != nil {
			ask = func() (bool, error) { return req.Confirm(s.result(p, req.DryRun)) }
		}
	}
	if !req.DryRun {
		err = p.Run(ctx, ask)
	}
	return s.result(p, req.DryRun), err
}

// declaredRuntime is a declaration with its existing state and its plan.
type declaredRuntime struct {
	Declaration
	wants       []site.Wanted
	existing    []plan.Existing
	build       entity.ImageBuild
	image       *Item // the build; nil if the image is not built
	deployments []*plan.Deployment
}

func (d *declaredRuntime) wrap(err error) error {
	if err == nil || d.Wrap == nil {
		return err
	}
	return d.Wrap(err)
}

// resolveDeclarations validates all declarations before any request is sent, and reads the directories to build.
func (s *Service) resolveDeclarations(ctx context.Context, list []Declaration) (all []*declaredRuntime, err error) {
	var wrong []error
	seen := map[entity.ID]bool{}
	for _, one := range list {
		d := &declaredRuntime{Declaration: one}
		all = append(all, d)
		d.wants, err = s.wantedRuntimes(DeployRequest{Name: one.Name, MemoryMB: one.MemoryMB, MilliCPU: one.MilliCPU, TimeoutS: one.TimeoutS, InImage: one.InImage, Pin: one.Pin})
		if err == nil && one.Build != nil {
			err = s.fingerprint(ctx, d)
		}
		for _, w := range d.wants {
			if err == nil && seen[w.ID] {
				err = fault.New(fault.Invalid, i18n.M("Two declared runtimes would be registered under the same name, {{.Name}}.", "Name", w.ID.Name),
					i18n.M("Declare each memory size of an image once."))
			}
			seen[w.ID] = true
		}
		if err != nil {
			wrong = append(wrong, d.wrap(err))
		}
	}
	return all, errors.Join(wrong...)
}

func (s *Service) fingerprint(ctx context.Context, d *declaredRuntime) error {
	d.build = s.imageBuild(d.wants[0].Image, *d.Build)
	d.build.Pin = d.Pin
	source, err := s.Images.Fingerprint(ctx, d.build)
	for i := range d.wants {
		d.wants[i].Source = source
	}
	return err
}

// declaredDigests reads the digests of the images that are not built here from the registries.
func (s *Service) declaredDigests(ctx context.Context, all []*declaredRuntime) error {
	_, errs := parallel.Each(ctx, parallel.NewGroup(s.Jobs), all, func(ctx context.Context, d *declaredRuntime) (struct{}, error) {
		if d.Build != nil {
			return struct{}{}, nil
		}
		digest, err := s.Digest(ctx, d.wants[0].Image, d.Pin)
		for i := range d.wants {
			d.wants[i].Digest = digest
		}
		return struct{}{}, d.wrap(err)
	})
	return parallel.FirstError(errs)
}

// readDeclared matches the declared runtimes with the inventory and reads their metadata, which is not part of the
// inventory.
func (s *Service) readDeclared(ctx context.Context, inv *site.Inventory, all []*declaredRuntime) error {
	type slot struct {
		w    site.Wanted
		have *plan.Existing
	}
	var slots []slot
	for _, d := range all {
		d.existing = make([]plan.Existing, len(d.wants))
		for i, w := range d.wants {
			slots = append(slots, slot{w, &d.existing[i]})
		}
	}
	_, errs := parallel.Each(ctx, parallel.NewGroup(s.Jobs), slots, func(ctx context.Context, at slot) (none struct{}, err error) {
		i := slices.IndexFunc(inv.Entries, func(e site.Entry) bool { return e.MetadataKey == at.w.Key && (e.Orphan || e.ID == at.w.ID) })
		if i < 0 {
			at.have.Cached, _ = s.Cache.ReadMetadata(at.w.Key)
			if slices.ContainsFunc(inv.Entries, func(e site.Entry) bool { return e.MetadataKey == at.w.Key && e.HasObject }) { // stored for another memory size
				at.have.Metadata, err = s.GetMetadata(ctx, at.w.Key)
			}
			return none, err
		}
		*at.have, err = s.readExisting(ctx, inv.Entries[i])
		return none, err
	})
	return parallel.FirstError(errs)
}

// decide plans one declaration. An image that was built from an identical directory is not rebuilt and keeps its
// digest.
func (d *declaredRuntime) decide(p *plan.Plan) []*plan.Deployment {
	if d.Build != nil {
		d.image = &Item{Change: Unchanged, Kind: KindImage, Name: d.wants[0].Image, Image: d.wants[0].Image, Status: Planned}
	}
	for i, w := range d.wants {
		r := d.existing[i].Runtime
		switch {
		case d.image == nil:
		case r == nil || r.Note(entity.NoteSource) == "":
			d.image.Change, d.image.Reason = Create, i18n.M("No deployed runtime was built from this directory.")
		case r.Note(entity.NoteSource) != w.Source && d.image.Change == Unchanged:
			d.image.Change, d.image.Reason = Update, i18n.M("The build inputs of its image have changed.")
		default:
			w.Digest = r.Note(entity.NoteDigest)
		}
		d.deployments = append(d.deployments, p.NewDeployment(w, d.existing[i], false))
	}
	return d.deployments
}

// missingPrerequisites determines which objects must be created before the first runtime.
func (s *Service) missingPrerequisites(ctx context.Context, inv *site.Inventory) (prerequisites plan.Prerequisites, err error) {
	err = s.Compute.FindScope(ctx)
	if prerequisites.Scope = fault.Is(err, fault.NotFound); err != nil && !prerequisites.Scope {
		return prerequisites, err
	}
	for _, need := range s.Compute.RequiredResources() {
		if !slices.ContainsFunc(inv.Resources, func(t entity.Resource) bool { return t.Name == need.Name && t.Term.Word == need.Term.Word }) {
			prerequisites.Resources = append(prerequisites.Resources, need)
		}
	}
	exists, err := s.Store.BucketExists(ctx)
	prerequisites.Bucket = err == nil && !exists
	return prerequisites, err
}

// undeclared returns the runtimes of this user key that no deployment covers.
func undeclared(inv *site.Inventory, all []*plan.Deployment) (toDelete []site.Entry) {
	type runtime struct {
		key      string
		memoryMB int
	}
	declared := map[runtime]bool{}
	for _, d := range all {
		declared[runtime{d.Want.Key, d.Want.MemoryMB}] = true
	}
	for _, e := range inv.Entries {
		if e.Own && !declared[runtime{e.MetadataKey, e.NamedMB}] {
			toDelete = append(toDelete, e)
		}
	}
	return toDelete
}
