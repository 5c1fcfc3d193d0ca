package runtime

import (
	"context"
	"errors"
	"io"
	"slices"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/parallel"
)

// Declaration is one declared runtime, in all its memory sizes.
type Declaration struct {
	Name     string // "default" or an image reference
	MemoryMB []int  // empty: the configured memory
	TimeoutS int    // 0: the configured timeout
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
	op := i18n.M("Applying the declared runtimes in namespace {{.Namespace}}", "Namespace", s.Target.Namespace)
	p := &declaredState{s: s, req: req}
	if err := p.want(ctx); err != nil {
		return Result{DryRun: req.DryRun}, err
	}
	end := s.begin(op)
	err := p.look(ctx)
	if err == nil && !req.DryRun {
		err = p.apply(ctx)
	}
	err = fault.During(op, err)
	end(err)
	return p.result(), err
}

// declaredState is one run of Apply.
type declaredState struct {
	s        *Service
	req      ApplyRequest
	runtimes []*declared
	bundle   lithops.Bundle
	around   []Item // namespace, package, bucket
	removals []*removal
}

// declared is one declaration with what is planned for it.
type declared struct {
	Declaration
	wants   []wanted
	haves   []found
	image   *Item // of the build; nil without one
	changes []*change
}

func (d *declared) wrap(err error) error {
	if err == nil || d.Wrap == nil {
		return err
	}
	return d.Wrap(err)
}

// want checks every declaration before anything is dialled, and reads the folders to build.
func (p *declaredState) want(ctx context.Context) error {
	var wrong []error
	taken := map[string]bool{}
	for _, one := range p.req.Runtimes {
		d := &declared{Declaration: one}
		p.runtimes = append(p.runtimes, d)
		wants, err := p.s.wants(DeployRequest{Name: one.Name, MemoryMB: one.MemoryMB, TimeoutS: one.TimeoutS, Pin: one.Pin})
		if err == nil && one.Build != nil {
			err = p.fingerprint(ctx, d, wants)
		}
		d.wants, d.haves = wants, make([]found, len(wants))
		for _, w := range wants {
			if err == nil && taken[w.action] {
				err = fault.New(fault.Invalid, i18n.M("Another declared runtime has the same action {{.Action}}.", "Action", w.action),
					i18n.M("Declare each image once, with all its memory sizes."))
			}
			taken[w.action] = true
		}
		if err != nil {
			wrong = append(wrong, d.wrap(err))
		}
	}
	return errors.Join(wrong...)
}

func (p *declaredState) fingerprint(ctx context.Context, d *declared, wants []wanted) error {
	build, err := p.s.imageBuild(*d.Build)
	if err != nil {
		return err
	}
	source, err := p.s.Images.Fingerprint(ctx, build)
	for i := range wants {
		wants[i].source = source
	}
	return err
}

// look reads what is there and plans. The number of requests grows with pages and with the declared runtimes.
func (p *declaredState) look(ctx context.Context) error {
	s := p.s
	var inv *inventory
	err := parallel.Together(ctx, func(ctx context.Context) (err error) {
		inv, err = s.inventory(ctx)
		return err
	}, func(ctx context.Context) (err error) {
		p.bundle, err = lithops.BuildBundle(ctx, s.Install, s.Contract.Backend)
		return err
	}, p.lookAtDigests)
	if err != nil {
		return err
	}
	keys := map[string]bool{}
	var wants []wanted
	var haves []*found
	for _, d := range p.runtimes {
		for i, w := range d.wants {
			keys[w.key] = true
			wants, haves = append(wants, w), append(haves, &d.haves[i])
		}
	}
	indexes := make([]int, len(wants))
	for i := range indexes {
		indexes[i] = i
	}
	_, errs := parallel.Each(ctx, parallel.NewGroup(s.Jobs), indexes, func(ctx context.Context, i int) (struct{}, error) {
		return struct{}{}, p.find(ctx, inv, wants[i], haves[i])
	})
	if err := parallel.First(errs); err != nil {
		return err
	}
	for _, d := range p.runtimes {
		d.plan(p)
	}
	if p.req.Prune {
		for _, e := range inv.entries {
			if e.own && !keys[e.key] {
				p.removals = append(p.removals, s.planRemoval(e))
			}
		}
	}
	return p.lookAround(ctx, inv)
}

// lookAtDigests asks the registries what the tags of the images that are not built here point to.
func (p *declaredState) lookAtDigests(ctx context.Context) error {
	_, errs := parallel.Each(ctx, parallel.NewGroup(p.s.Jobs), p.runtimes, func(ctx context.Context, d *declared) (struct{}, error) {
		if d.Build != nil {
			return struct{}{}, nil
		}
		one := &deployment{s: p.s, wants: d.wants, req: DeployRequest{Pin: d.Pin}}
		err := one.lookAtDigest(ctx)
		for i := range d.wants {
			d.wants[i].digest = one.digest
		}
		return struct{}{}, d.wrap(err)
	})
	return parallel.First(errs)
}

// find takes what is there of one runtime from the inventory; the metadata itself is not in lists.
func (p *declaredState) find(ctx context.Context, inv *inventory, w wanted, have *found) error {
	have.cached, _ = p.s.Cache.ReadMetadata(w.key)
	i := slices.IndexFunc(inv.entries, func(e entry) bool { return e.key == w.key && (e.orphan || e.action.Package == w.pkg) })
	if i < 0 {
		return nil
	}
	e := inv.entries[i]
	if !e.orphan {
		have.action = &e.action
	}
	if !e.hasObject {
		return nil
	}
	data, err := p.s.Store.Get(ctx, w.key)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	have.metadata = data
	return err
}

// plan decides for one declaration. An image that is deployed from the same folder is not built again: it stays at the
// digest that it has.
func (d *declared) plan(p *declaredState) {
	if d.Build != nil {
		d.image = &Item{Change: Unchanged, Kind: KindImage, Name: d.wants[0].image, Image: d.wants[0].image, Status: Planned}
		for i, w := range d.wants {
			a := d.haves[i].action
			switch {
			case a == nil || note(*a, noteSource) == "":
				d.image.Change, d.image.Reason = Create, i18n.M("Nothing is deployed that was built from this folder.")
			case note(*a, noteSource) != w.source && d.image.Change == Unchanged:
				d.image.Change, d.image.Reason = Update, i18n.M("What its image is built from differs.")
			default:
				d.wants[i].digest = note(*a, noteDigest)
			}
		}
	}
	d.changes = nil
	for i, w := range d.wants {
		d.changes = append(d.changes, p.s.reconcile(w, d.haves[i], p.bundle, false))
	}
}

// lookAround finds out what has to be made before the first runtime.
func (p *declaredState) lookAround(ctx context.Context, inv *inventory) error {
	s := p.s
	if !slices.ContainsFunc(p.changes(), (*change).changed) {
		return nil
	}
	add := func(kind Kind, name string) {
		p.around = append(p.around, Item{Change: Create, Kind: kind, Name: name, Status: Planned})
	}
	err := s.Namespace.Find(ctx)
	switch {
	case fault.Is(err, fault.NotFound):
		add(KindNamespace, s.Target.Namespace)
	case err != nil:
		return err
	}
	if pkg := s.Contract.Package(); !slices.Contains(inv.packages, pkg) {
		add(KindPackage, pkg)
	}
	there, err := s.Store.BucketExists(ctx)
	if err == nil && !there {
		add(KindBucket, s.Target.Bucket)
	}
	return err
}

func (p *declaredState) changes() (all []*change) {
	for _, d := range p.runtimes {
		all = append(all, d.changes...)
	}
	return all
}
