package runtime

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/parallel"
	"fn-runtime/runtime/plan"
	"fn-runtime/runtime/site"
)

// Deploy registers a runtime with one or several memory sizes. The first deployment takes four sequential requests
// until the runtime is usable: read, register, invoke, store metadata. A fifth verifies that the runtime was not
// deleted in the meantime. Parts that are up to date are not written again.
func (s *Service) Deploy(ctx context.Context, req DeployRequest) (Result, error) {
	wants, err := s.wantedRuntimes(req)
	if err != nil {
		return Result{}, err
	}
	if req.Name == DefaultName && s.Contract.Backend == lithops.CodeEngine && s.Settings.Runtime == "" {
		s.Warn(i18n.M("'runtime' is not set in the configuration, so the Lithops client builds its own image. Set 'runtime: {{.Image}}' in section 'code_engine', as printed by 'ibmcloud fn-runtime lithops-config'.", "Image", wants[0].Image))
	}
	return s.deployWanted(ctx, wants, req)
}

// deployWanted deploys the runtimes of a validated request.
func (s *Service) deployWanted(ctx context.Context, wants []site.Wanted, req DeployRequest) (Result, error) {
	op := i18n.M("Deploying runtime {{.Image}} in {{.Place}}", "Image", wants[0].Image, "Place", s.Scope())
	return during(s, op, func() (Result, error) { return s.deploy(ctx, wants, req) })
}

func (s *Service) deploy(ctx context.Context, wants []site.Wanted, req DeployRequest) (Result, error) {
	l := &existingState{s: s, wants: wants, req: req, existing: make([]plan.Existing, len(wants))}
	if err := l.read(ctx); err != nil {
		return Result{DryRun: req.DryRun}, err
	}
	p := plan.New(&s.Site, l.bundle)
	var all []*plan.Deployment
	for i, w := range wants {
		w.Digest = l.digest
		all = append(all, p.NewDeployment(w, l.existing[i], req.Force))
	}
	if err := s.checkFeasible(ctx, all); err != nil {
		return Result{DryRun: req.DryRun}, err
	}
	p.AddPrerequisites(l.prerequisites)
	p.Deploy(all...)
	var err error
	if !req.DryRun {
		if s.Target.HostPython && slices.ContainsFunc(all, (*plan.Deployment).Changed) {
			s.Note(i18n.M("The local endpoint uses the Python installation on this machine ({{.Python}}), not the image {{.Image}}.", "Python", s.Interpreter(), "Image", wants[0].Image))
		}
		err = p.Run(ctx, nil)
	}
	return s.result(p, req.DryRun), err
}

// wantedRuntimes validates a request and returns the desired runtimes, one for each memory size. It sends no requests.
func (s *Service) wantedRuntimes(req DeployRequest) ([]site.Wanted, error) {
	image, err := s.Image(req.Name, req.Python)
	if err != nil {
		return nil, err
	}
	memories := slices.Compact(slices.Sorted(slices.Values(req.MemoryMB)))
	if len(memories) == 0 {
		memories = []int{s.Settings.RuntimeMemory}
	}
	timeout := cmp.Or(req.TimeoutS, s.Settings.RuntimeTimeout)
	limits := s.Compute.Limits()
	wrong := []error{limits.CheckTimeout(timeout), s.checkJobTime(timeout)}
	if req.InImage && !limits.FixedSizes {
		wrong = append(wrong, fault.New(fault.Usage, i18n.M("Only code_engine supports images that contain the Lithops code."), i18n.M("Omit '--code'.")))
	}
	for _, m := range memories {
		wrong = append(wrong, limits.CheckMemory(m))
	}
	if err := errors.Join(wrong...); err != nil {
		return nil, err
	}
	wants := make([]site.Wanted, 0, len(memories))
	for _, m := range memories {
		w := s.Want(image, m, timeout, req.Python)
		w.Pin, w.InImage = req.Pin, req.InImage
		if w.MilliCPU, err = limits.CPUFor(m, req.MilliCPU, s.Settings.RuntimeMilliCPU); err != nil {
			return nil, err
		}
		s.warnOfCPUMismatch(w)
		if err := s.Contract.ValidateNames(w.ID.Name, w.Image); err != nil {
			return nil, err
		}
		wants = append(wants, w)
	}
	return wants, nil
}

// warnOfCPUMismatch warns if the client will not run its jobs with the CPU of the runtime. The client always requests
// the CPU of its configuration, and accepts only some combinations of CPU and memory.
func (s *Service) warnOfCPUMismatch(w site.Wanted) {
	cpu, configured := lithops.FormatCPU(w.MilliCPU), s.Settings.RuntimeMilliCPU
	switch {
	case w.MilliCPU == 0:
	case lithops.JobSize{MilliCPU: w.MilliCPU, MemoryMB: w.MemoryMB}.RejectedByClient():
		s.Warn(i18n.M("The Lithops client does not accept a 'runtime_cpu' of {{.CPU}} with a 'runtime_memory' of {{.Memory}} MB, although Code Engine does. Specify another '--cpu' or '--memory'.",
			"CPU", cpu, "Memory", w.MemoryMB))
	case w.MilliCPU != configured:
		s.Warn(i18n.M("The Lithops client runs its jobs with {{.Asked}} vCPU, not with the vCPU of the runtime. Set 'runtime_cpu: {{.CPU}}' and 'runtime_memory: {{.Memory}}' in section 'code_engine' of the Lithops configuration.",
			"Asked", lithops.FormatCPU(configured), "Memory", w.MemoryMB, "CPU", cpu))
	}
}

// checkJobTime rejects a timeout, in seconds, that leaves no time for a job, and warns if it leaves little.
func (s *Service) checkJobTime(timeoutS int) error {
	if err := lithops.CheckJobTime(timeoutS); err != nil {
		return err
	}
	if problem, fatal := lithops.JobTimeProblem(timeoutS); !problem.IsZero() && !fatal {
		s.Warn(problem)
	}
	return nil
}

// existingState is the state that a deployment depends on.
type existingState struct {
	s             *Service
	wants         []site.Wanted
	req           DeployRequest
	existing      []plan.Existing
	bundle        lithops.Bundle
	digest        string // digest that the image's tag points to; "" if unknown
	prerequisites plan.Prerequisites
}

// read reads everything concurrently. If the cache of this machine lacks one of the runtimes, read also creates the
// resources that the runtimes require, except in a dry run. This is harmless if the resources exist, and it saves a
// sequential request later.
func (l *existingState) read(ctx context.Context) error {
	s := l.s
	first := false
	for i, w := range l.wants {
		l.existing[i].Cached, _ = s.Cache.ReadMetadata(w.Key)
		first = first || l.existing[i].Cached == nil
	}
	work := []func(context.Context) error{
		func(ctx context.Context) error { return l.readRuntimes(ctx, first && !l.req.DryRun) },
		func(ctx context.Context) (err error) {
			l.bundle, err = lithops.BuildBundle(ctx, s.Install, s.Contract.Backend)
			return err
		},
		func(ctx context.Context) (err error) {
			l.digest, err = s.Digest(ctx, l.wants[0].Image, l.req.Pin)
			return err
		},
	}
	for i, w := range l.wants {
		work = append(work, func(ctx context.Context) (err error) {
			l.existing[i].Metadata, err = s.GetMetadata(ctx, w.Key)
			return err
		})
	}
	if first {
		work = append(work, func(ctx context.Context) error { // the runtimes must be within the limits
			s.Limits(ctx)
			return nil
		}, func(ctx context.Context) error {
			exists, err := s.Store.BucketExists(ctx)
			l.prerequisites.Bucket, l.prerequisites.BucketConcurrent = err == nil && !exists, true
			return err
		})
	}
	return parallel.Run(ctx, work...)
}

// readRuntimes reads the runtimes concurrently. The scope may not exist yet.
func (l *existingState) readRuntimes(ctx context.Context, prepare bool) error {
	s, needs := l.s, l.s.Compute.RequiredResources()
	err := s.Compute.FindScope(ctx)
	if fault.Is(err, fault.NotFound) {
		l.prerequisites.Scope, l.prerequisites.Resources = true, needs
		return nil
	}
	if err != nil {
		return err
	}
	work := make([]func(context.Context) error, 0, len(l.wants)+1)
	for i, w := range l.wants {
		work = append(work, func(ctx context.Context) error {
			r, err := s.Compute.Runtime(ctx, w.ID)
			if fault.Is(err, fault.NotFound) {
				return nil
			}
			l.existing[i].Runtime = &r
			return err
		})
	}
	if prepare {
		work = append(work, func(ctx context.Context) error { return l.createResources(ctx, needs) })
	}
	if err := parallel.Run(ctx, work...); err != nil || !l.req.DryRun {
		return err
	}
	for i := range l.existing { // reads only Runtime, because other fields are still being written
		if l.existing[i].Runtime != nil {
			return nil
		}
	}
	for _, resource := range needs {
		exists, err := s.Compute.HasResource(ctx, resource)
		if err != nil {
			return err
		}
		if !exists {
			l.prerequisites.Resources = append(l.prerequisites.Resources, resource)
		}
	}
	return nil
}

// createResources creates the resources that every runtime needs.
func (l *existingState) createResources(ctx context.Context, needs []entity.Resource) error {
	ctx, err := parallel.Uninterrupted(ctx)
	if err != nil {
		return err
	}
	l.prerequisites.Created = true
	var errs []error
	for _, resource := range needs {
		created, err := l.s.Compute.CreateResource(ctx, resource)
		if created {
			l.prerequisites.Resources = append(l.prerequisites.Resources, resource)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
