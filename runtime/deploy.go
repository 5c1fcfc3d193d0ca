package runtime

import (
	"context"
	"slices"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/linger"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/parallel"
)

// Deploy registers one runtime in one or several memory sizes. A first deployment is usable after four requests
// in sequence: look, put the action, call it, put its metadata. A fifth looks that nobody deleted it meanwhile. What is
// there and equal is left alone.
func (s *Service) Deploy(ctx context.Context, req DeployRequest) (Result, error) {
	wants, err := s.wants(req)
	if err != nil {
		return Result{}, err
	}
	op := i18n.M("Deploying runtime {{.Image}} in namespace {{.Namespace}}", "Image", wants[0].image, "Namespace", s.Target.Namespace)
	end := s.begin(op)
	result, err := s.deploy(ctx, wants, req)
	err = fault.During(op, err)
	end(err)
	return result, err
}

func (s *Service) deploy(ctx context.Context, wants []wanted, req DeployRequest) (Result, error) {
	p := &deployment{s: s, wants: wants, req: req, haves: make([]found, len(wants))}
	if err := p.look(ctx); err != nil {
		return Result{DryRun: req.DryRun}, err
	}
	p.plan()
	if req.DryRun {
		return p.result(), nil
	}
	err := p.apply(ctx)
	result := p.result()
	untried(result.Items)
	return result, err
}

// deployment is one run of Deploy: what was found, the plan, and what became of it.
type deployment struct {
	s       *Service
	wants   []wanted
	req     DeployRequest
	haves   []found
	bundle  lithops.Bundle
	digest  string // that the tag points to; "" when not known
	around  []Item // namespace, package, bucket: what has to be there before the runtimes
	changes []*change

	namespaceMissing bool
	packageMade      bool
	packageMissing   bool
	bucketMissing    bool
}

// look reads everything the plan needs in one wave. When this machine has never seen one of the runtimes, the package
// is made in the same wave: it is needed, harmless where it exists, and saves the next wave a request.
func (p *deployment) look(ctx context.Context) error {
	s := p.s
	first := false
	for i, w := range p.wants {
		p.haves[i].cached, _ = s.Cache.ReadMetadata(w.key)
		first = first || p.haves[i].cached == nil
	}
	work := []func(context.Context) error{
		func(ctx context.Context) error { return p.lookAtActions(ctx, first) },
		func(ctx context.Context) (err error) {
			p.bundle, err = lithops.BuildBundle(ctx, s.Install, s.Contract.Backend)
			return err
		},
		p.lookAtDigest,
	}
	for i, w := range p.wants {
		work = append(work, func(ctx context.Context) error {
			data, err := s.Store.Get(ctx, w.key)
			if fault.Is(err, fault.NotFound) {
				return nil
			}
			p.haves[i].metadata = data
			return err
		})
	}
	if first {
		work = append(work, func(ctx context.Context) error {
			there, err := s.Store.BucketExists(ctx)
			p.bucketMissing = err == nil && !there
			return err
		})
	}
	return parallel.Together(ctx, work...)
}

// lookAtActions reads the actions side by side, in a namespace that may not be there yet.
func (p *deployment) lookAtActions(ctx context.Context, first bool) error {
	s := p.s
	err := s.Namespace.Find(ctx)
	if fault.Is(err, fault.NotFound) {
		p.namespaceMissing, p.packageMissing = true, true
		return nil
	}
	if err != nil {
		return err
	}
	work := make([]func(context.Context) error, 0, len(p.wants)+1)
	for i, w := range p.wants {
		work = append(work, func(ctx context.Context) error {
			a, err := s.Functions.Action(ctx, w.pkg, w.action)
			if fault.Is(err, fault.NotFound) {
				return nil
			}
			p.haves[i].action = &a
			return err
		})
	}
	if first && !p.req.DryRun {
		work = append(work, func(ctx context.Context) (err error) {
			ctx, err = parallel.Whole(ctx)
			if err == nil {
				p.packageMade, err = s.Functions.CreatePackage(ctx, p.wants[0].pkg)
			}
			return err
		})
	}
	if err := parallel.Together(ctx, work...); err != nil || !p.req.DryRun {
		return err
	}
	for i := range p.haves {
		if p.haves[i].action != nil {
			return nil
		}
	}
	p.packageMissing = true
	for pkg, err := range s.Functions.Packages(ctx) {
		if err != nil {
			return err
		}
		if pkg.Name == p.wants[0].pkg {
			p.packageMissing = false
			break
		}
	}
	return nil
}

// lookAtDigest asks the registry what the tag points to. Only pinning cannot do without the answer.
func (p *deployment) lookAtDigest(ctx context.Context) error {
	s, image := p.s, p.wants[0].image
	if s.Target.HostPython && !p.req.Pin {
		return nil
	}
	if s.Images == nil {
		if p.req.Pin {
			return fault.New(fault.Invalid, i18n.M("The digest of {{.Image}} is not known, so it cannot be pinned.", "Image", image),
				i18n.M("Do not pin it, or run the command where the registry can be reached."))
		}
		return nil
	}
	if !p.req.Pin {
		var cancel context.CancelFunc
		ctx, cancel = hurried(ctx)
		defer cancel()
	}
	digest, err := s.Images.Digest(ctx, image)
	if err != nil {
		if p.req.Pin {
			return err
		}
		return nil
	}
	p.digest = digest
	return nil
}

// plan decides what has to be written.
func (p *deployment) plan() {
	s := p.s
	if p.namespaceMissing {
		p.around = append(p.around, Item{Change: Create, Kind: KindNamespace, Name: s.Target.Namespace, Status: Planned})
	}
	if p.packageMade || p.packageMissing {
		it := Item{Change: Create, Kind: KindPackage, Name: p.wants[0].pkg, Status: Planned}
		if p.packageMade {
			it.Status = Done
		}
		p.around = append(p.around, it)
	}
	if p.bucketMissing {
		p.around = append(p.around, Item{Change: Create, Kind: KindBucket, Name: s.Target.Bucket, Status: Planned})
	}
	for i, w := range p.wants {
		w.digest = p.digest
		p.changes = append(p.changes, s.reconcile(w, p.haves[i], p.bundle, p.req.Force))
	}
}

// apply writes what has to be there first, then the runtimes side by side. A missing bucket is made beside the actions:
// it is needed only when the metadata is stored.
func (p *deployment) apply(ctx context.Context) error {
	s := p.s
	changed := slices.ContainsFunc(p.changes, (*change).changed)
	if changed && s.Target.HostPython {
		s.note(i18n.M("The local endpoint runs the Python of this machine ({{.Python}}), not the image {{.Image}}.", "Python", s.interpreter(), "Image", p.wants[0].image))
	}
	if err := p.makeNamespace(ctx); err != nil {
		return err
	}
	var bucket, panicked error
	made := make(chan struct{})
	go func() {
		defer close(made)
		if it := p.item(KindBucket); it != nil {
			panicked = fault.Try(func() error {
				bucket = s.Store.CreateBucket(ctx)
				it.settle(bucket)
				return nil
			})
		}
	}()
	s.applyAll(ctx, p.changes, p.bundle)
	<-made
	fault.Panic(panicked)
	p.takeBackPackage(ctx)
	if it := p.item(KindPackage); it != nil {
		if it.Status == Planned {
			it.Status = Done
		}
		disprove(it, p.changes)
	}
	return outcome(ctx, p.items())
}

// makeNamespace makes the missing namespace and, because nothing can be in it, the package.
func (p *deployment) makeNamespace(ctx context.Context) error {
	it := p.item(KindNamespace)
	if it == nil {
		return nil
	}
	_, err := p.s.Namespace.Create(ctx)
	if it.settle(err); err != nil {
		return err
	}
	_, err = p.s.Functions.CreatePackage(ctx, p.wants[0].pkg)
	p.item(KindPackage).settle(err)
	return err
}

// disprove takes back that a package was made when an action could not be put into it because it is not there: a server
// may answer its creation with 409, as if it were there, for a reason of its own.
func disprove(pkg *Item, changes []*change) {
	for _, c := range changes {
		if c.action.Status == Failed && fault.Is(c.action.Err, fault.NotFound) {
			pkg.settle(c.action.Err)
			return
		}
	}
}

// takeBackPackage removes the package that this run made when nothing came into it. The server refuses (409) when
// somebody else's action is in it meanwhile.
func (p *deployment) takeBackPackage(ctx context.Context) {
	if !p.packageMade {
		return
	}
	for _, c := range p.changes {
		if kind := fault.KindOf(c.action.Err); kind != fault.Failed && kind != fault.Timeout && kind != fault.Interrupted {
			return
		}
	}
	ctx, cancel := linger.Context(ctx, undoTime)
	defer cancel()
	if p.s.Functions.DeletePackage(ctx, p.wants[0].pkg) == nil {
		p.item(KindPackage).Status = Skipped
	}
}

func (p *deployment) item(kind Kind) *Item {
	for i := range p.around {
		if p.around[i].Kind == kind {
			return &p.around[i]
		}
	}
	return nil
}

func (p *deployment) items() []Item {
	items := append([]Item(nil), p.around...)
	for _, c := range p.changes {
		items = append(items, c.items()...)
	}
	return items
}

func (p *deployment) result() Result {
	r := Result{DryRun: p.req.DryRun, Items: p.items()}
	for _, c := range p.changes {
		if c.have.action == nil && c.action.Status != Done && !p.req.DryRun {
			continue
		}
		r.Runtimes = append(r.Runtimes, p.s.afterwards(c))
	}
	return r
}

// afterwards describes a runtime as a plan leaves it.
func (s *Service) afterwards(c *change) Runtime {
	rt := Runtime{
		Name: c.want.image, Image: c.want.reference(), Digest: c.want.digest,
		MemoryMB: c.want.memoryMB, TimeoutS: c.want.timeoutS,
		PythonVersion: c.want.python, LithopsVersion: s.Contract.Version,
		Package: c.want.pkg, Action: c.want.action,
		Namespace: s.Target.Namespace, Region: s.Target.Region, Backend: s.Target.Backend, State: Ready,
	}
	if c.have.action != nil {
		rt.UpdatedAt = c.have.action.UpdatedAt
	}
	if c.put {
		rt.UpdatedAt = s.clock().Now()
	}
	if c.metadata.Status == Failed || c.metadata.Status == Skipped {
		rt.State, rt.Reason = NoMetadata, i18n.M("It is not completely deployed.")
	}
	return rt
}
