package runtime

import (
	"time"

	"fn-runtime/i18n"
	"fn-runtime/runtime/plan"
	"fn-runtime/runtime/site"
)

// consent is the question whether a plan may be carried out; nil where nobody is asked.
func (s *Service) consent(p *plan.Plan, confirm func(Result) (bool, error)) func() (bool, error) {
	if confirm == nil {
		return nil
	}
	return func() (bool, error) { return confirm(s.result(p, false)) }
}

// result tells what a plan is or has come to, and which runtimes are deployed afterwards.
func (s *Service) result(p *plan.Plan, dryRun bool) Result {
	r := Result{DryRun: dryRun, Items: p.Items()}
	for _, d := range p.Deployments() {
		if d.Have.Runtime != nil || d.Runtime.Status == Done || dryRun {
			r.Runtimes = append(r.Runtimes, s.afterwards(d))
		}
	}
	return r
}

// afterwards describes a runtime as a plan leaves it.
func (s *Service) afterwards(d *plan.Deployment) Runtime {
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
