package runtime

import (
	"time"

	"fn-runtime/i18n"
	"fn-runtime/runtime/plan"
	"fn-runtime/runtime/site"
)

// consent returns the function that asks whether to run a plan. It returns nil if confirmation is not required.
func (s *Service) consent(p *plan.Plan, confirm func(Result) (bool, error)) func() (bool, error) {
	if confirm == nil {
		return nil
	}
	return func() (bool, error) { return confirm(s.result(p, false)) }
}

// result returns the items of a plan and the runtimes that are deployed afterwards.
func (s *Service) result(p *plan.Plan, dryRun bool) Result {
	r := Result{DryRun: dryRun, Items: p.Items()}
	for _, d := range p.Deployments() {
		if d.Have.Runtime != nil || d.Runtime.Status == Done || dryRun {
			r.Runtimes = append(r.Runtimes, s.resultOf(d))
		}
	}
	return r
}

// resultOf describes a runtime as a plan leaves it.
func (s *Service) resultOf(d *plan.Deployment) Runtime {
	w := d.Want
	rt := Runtime{
		Name: w.Image, Image: w.Image, Digest: w.Digest, MemoryMB: w.MemoryMB, TimeoutS: w.TimeoutS,
		PythonVersion: w.Python, LithopsVersion: s.Contract.Version, ID: w.ID,
		Namespace: s.Target.Namespace, Region: s.Target.Region, Backend: s.Target.Backend, State: Ready,
	}
	if w.Pin && w.Digest != "" {
		rt.Image = site.PinnedReference(w.Image, w.Digest)
	}
	if d.Have.Runtime != nil {
		rt.UpdatedAt = d.Have.Runtime.UpdatedAt
	}
	if d.Registers() {
		rt.UpdatedAt = time.Now()
	}
	if d.Metadata.Status == Failed || d.Metadata.Status == Skipped {
		rt.State, rt.Reason = NoMetadata, i18n.M("It is only partially deployed.")
	}
	return rt
}
