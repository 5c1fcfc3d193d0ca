package runtime

import (
	"cmp"
	"context"
	"time"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/site"
)

// Invoke calls a runtime as the client does when it asks for metadata, one call after another, and measures each. The
// first call of a runtime that has not run lately is a cold start.
func (s *Service) Invoke(ctx context.Context, req InvokeRequest) ([]Invocation, error) {
	image, err := s.Image(req.Name, "")
	if err != nil {
		return nil, err
	}
	memory := cmp.Or(req.MemoryMB, s.Settings.RuntimeMemory)
	if err := s.Compute.Limits().CheckMemory(memory); err != nil {
		return nil, err
	}
	count := req.Count
	if count <= 0 {
		count = 2
	}
	w := s.Want(image, memory, s.Settings.RuntimeTimeout, "")
	op := i18n.M("Invoking runtime {{.Image}} with {{.Memory}} MB in namespace {{.Namespace}}", "Image", image, "Memory", memory, "Namespace", s.Target.Namespace)
	return during(s, op, func() ([]Invocation, error) { return s.invoke(ctx, w, count) })
}

func (s *Service) invoke(ctx context.Context, w site.Wanted, count int) ([]Invocation, error) {
	if err := s.Compute.FindPlace(ctx); err != nil {
		return nil, err
	}
	calls := make([]Invocation, 0, count)
	for i := range count {
		start := time.Now()
		run, err := s.Call(ctx, w)
		total := time.Since(start)
		if fault.Is(err, fault.NotFound) {
			err = fault.New(fault.NotFound,
				i18n.M("Runtime {{.Image}} with {{.Memory}} MB is not deployed.", "Image", w.Image, "Memory", w.MemoryMB),
				i18n.M("Deploy it with 'ibmcloud fn-runtime deploy {{.Image}} --memory {{.Memory}}'.", "Image", w.Image, "Memory", w.MemoryMB)).Because(err)
		}
		if err == nil && !run.Success {
			err = s.Diagnose(ctx, w, run)
		}
		if err != nil {
			return calls, err
		}
		calls = append(calls, Invocation{
			ActivationID: run.ID, Cold: run.InitMS > 0, Total: total,
			InitMS: run.InitMS, RunMS: max(0, run.DurationMS-run.InitMS), WaitMS: run.WaitMS,
		})
		s.Progress(i+1, count)
	}
	return calls, nil
}
