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

// Declaration is one declared runtime, in all its memory sizes.
type Declaration struct {
	Name     string // "default" or an image reference
	MemoryMB []int  // empty: the configured memory
	MilliCPU int    // thousandths; 0: what goes with the memory
	TimeoutS int    // 0: the configured timeout
	InImage  bool   // the Lithops code is in the image
	Pin      bool
	Build    *BuildRequest         // nil: the image is in a registry
	Wrap     func(err error) error // says where it is declared; nil leaves errors alone
}

// ApplyRequest says what there should be.
type ApplyRequest struct {
	Runtimes []Declaration
	Prune    bool // delete what is not declared
	DryRun   bool
	Output   io.Writer // for the lines of builds
	// Confirm is asked once with the plan when something is deleted, before anything is changed; nil means yes.
	Confirm func(plan Result) (bool, error)
}

// Apply makes a declared list of runtimes true: it builds images whose folder differs from the one that they were built
// from, deploys what is missing, updates what differs and, with Prune, deletes every other runtime of this user key, of
// whatever Lithops version. Where everything is as declared nothing is written.
func (s *Service) Apply(ctx context.Context, req ApplyRequest) (Result, error) {
	op := i18n.M("Applying the declared runtimes to {{.Place}}", "Place", s.Scope())
	all, err := s.declared(ctx, req.Runtimes)
	if err != nil {
		return Result{DryRun: req.DryRun}, err
	}
	return during(s, op, func() (Result, error) { return s.apply(ctx, all, req) })
}

func (s *Service) apply(ctx context.Context, all []*declared, req ApplyRequest) (Result, error) {
	none := Result{DryRun: req.DryRun}
	inv, bundle, err := s.survey(ctx, true, func(ctx context.Context) error { return s.declaredDigests(ctx, all) })
	if err == nil {
		err = s.findDeclared(ctx, inv, all)
	}
	if err != nil {
		return none, err
	}
	p := plan.New(&s.Site, bundle)
	var deployments []*plan.Deployment
	for _, d := range all {
		deployments = append(deployments, d.decide(p)...)
	}
	if err := s.feasible(ctx, deployments); err != nil {
		return none, err
	}
	if slices.ContainsFunc(deployments, (*plan.Deployment).Changed) {
		prerequisites, err := s.missing(ctx, inv)
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
	if gone := undeclared(inv, deployments); req.Prune && len(gone) > 0 {
		p.Remove(inv, gone, i18n.M("It is not declared."))
		if req.Confirm != nil {
			ask = func() (bool, error) { return req.Confirm(s.result(p, req.DryRun)) }
		}
	}
	if !req.DryRun {
		err = p.Run(ctx, ask)
	}
	return s.result(p, req.DryRun), err
}

// declared is one declaration with what is found and planned for it.
type declared struct {
	Declaration
	wants       []site.Wanted
	haves       []plan.Existing
	build       entity.ImageBuild
	image       *Item // of the build; nil without one
	deployments []*plan.Deployment
}

func (d *declared) wrap(err error) error {
	if err == nil || d.Wrap == nil {
		return err
	}
	return d.Wrap(err)
}

// declared checks every declaration before anything is dialled, and reads the folders to build.
func (s *Service) declared(ctx context.Context, list []Declaration) (all []*declared, err error) {
	var wrong []error
	taken := map[entity.ID]bool{}
	for _, one := range list {
		d := &declared{Declaration: one}
		all = append(all, d)
		d.wants, err = s.wants(DeployRequest{Name: one.Name, MemoryMB: one.MemoryMB, MilliCPU: one.MilliCPU, TimeoutS: one.TimeoutS, InImage: one.InImage, Pin: one.Pin})
		if err == nil && one.Build != nil {
			err = s.fingerprint(ctx, d)
		}
		for _, w := range d.wants {
			if err == nil && taken[w.ID] {
				err = fault.New(fault.Invalid, i18n.M("Two declared runtimes would be registered under the same name, {{.Name}}.", "Name", w.ID.Name),
					i18n.M("Declare each memory size of an image once."))
			}
			taken[w.ID] = true
		}
		if err != nil {
			wrong = append(wrong, d.wrap(err))
		}
	}
	return all, errors.Join(wrong...)
}

func (s *Service) fingerprint(ctx context.Context, d *declared) error {
	d.build = s.imageBuild(d.wants[0].Image, *d.Build)
	d.build.Pin = d.Pin
	source, err := s.Images.Fingerprint(ctx, d.build)
	for i := range d.wants {
		d.wants[i].Source = source
	}
	return err
}

// declaredDigests asks the registries what the tags of the images that are not built here point to.
func (s *Service) declaredDigests(ctx context.Context, all []*declared) error {
	_, errs := parallel.Each(ctx, parallel.NewGroup(s.Jobs), all, func(ctx context.Context, d *declared) (struct{}, error) {
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

// findDeclared takes what is there of the declared runtimes from the inventory; the metadata itself is not in lists.
func (s *Service) findDeclared(ctx context.Context, inv *site.Inventory, all []*declared) error {
	type slot struct {
		w    site.Wanted
		have *plan.Existing
	}
	var slots []slot
	for _, d := range all {
		d.haves = make([]plan.Existing, len(d.wants))
		for i, w := range d.wants {
			slots = append(slots, slot{w, &d.haves[i]})
		}
	}
	_, errs := parallel.Each(ctx, parallel.NewGroup(s.Jobs), slots, func(ctx context.Context, at slot) (none struct{}, err error) {
		i := slices.IndexFunc(inv.Entries, func(e site.Entry) bool { return e.MetadataKey == at.w.Key && (e.Orphan || e.ID == at.w.ID) })
		if i < 0 {
			at.have.Cached, _ = s.Cache.ReadMetadata(at.w.Key)
			if slices.ContainsFunc(inv.Entries, func(e site.Entry) bool { return e.MetadataKey == at.w.Key && e.HasObject }) { // of another memory size
				at.have.Metadata, err = s.GetMetadata(ctx, at.w.Key)
			}
			return none, err
		}
		*at.have, err = s.found(ctx, inv.Entries[i])
		return none, err
	})
	return parallel.FirstError(errs)
}

// decide plans one declaration. An image that is deployed from the same folder is not built again: it stays at the
// digest that it has.
func (d *declared) decide(p *plan.Plan) []*plan.Deployment {
	if d.Build != nil {
		d.image = &Item{Change: Unchanged, Kind: KindImage, Name: d.wants[0].Image, Image: d.wants[0].Image, Status: Planned}
	}
	for i, w := range d.wants {
		r := d.haves[i].Runtime
		switch {
		case d.image == nil:
		case r == nil || r.Note(entity.NoteSource) == "":
			d.image.Change, d.image.Reason = Create, i18n.M("No deployed runtime was built from this directory.")
		case r.Note(entity.NoteSource) != w.Source && d.image.Change == Unchanged:
			d.image.Change, d.image.Reason = Update, i18n.M("The build inputs of its image have changed.")
		default:
			w.Digest = r.Note(entity.NoteDigest)
		}
		d.deployments = append(d.deployments, p.NewDeployment(w, d.haves[i], false))
	}
	return d.deployments
}

// missing finds out what has to be made before the first runtime.
func (s *Service) missing(ctx context.Context, inv *site.Inventory) (prerequisites plan.Prerequisites, err error) {
	err = s.Compute.FindScope(ctx)
	if prerequisites.Scope = fault.Is(err, fault.NotFound); err != nil && !prerequisites.Scope {
		return prerequisites, err
	}
	for _, need := range s.Compute.RequiredResources() {
		if !slices.ContainsFunc(inv.Resources, func(t entity.Resource) bool { return t.Name == need.Name && t.Term.Word == need.Term.Word }) {
			prerequisites.Resources = append(prerequisites.Resources, need)
		}
	}
	there, err := s.Store.BucketExists(ctx)
	prerequisites.Bucket = err == nil && !there
	return prerequisites, err
}

// undeclared returns the user's own runtimes that no deployment is about.
func undeclared(inv *site.Inventory, all []*plan.Deployment) (gone []site.Entry) {
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
			gone = append(gone, e)
		}
	}
	return gone
}
