package runtime

import (
	"context"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
)

// Invoke calls a runtime as the client does when it asks for metadata, one call after another, and measures each. The
// first call of a runtime that has not run lately is a cold start.
func (s *Service) Invoke(ctx context.Context, req InvokeRequest) ([]Invocation, error) {
	image, err := s.image(req.Name, "")
	if err != nil {
		return nil, err
	}
	memory := req.MemoryMB
	if memory == 0 {
		memory = s.Compute.RuntimeMemory
	}
	if err := s.limits().CheckMemory(memory); err != nil {
		return nil, err
	}
	count := req.Count
	if count <= 0 {
		count = 2
	}
	w := s.want(image, memory, s.Compute.RuntimeTimeout, "")
	op := i18n.M("Invoking runtime {{.Image}} with {{.Memory}} MB in namespace {{.Namespace}}", "Image", image, "Memory", memory, "Namespace", s.Target.Namespace)
	end := s.begin(op)
	calls, err := s.invoke(ctx, w, count)
	err = fault.During(op, err)
	end(err)
	return calls, err
}

func (s *Service) invoke(ctx context.Context, w wanted, count int) ([]Invocation, error) {
	if err := s.Namespace.Find(ctx); err != nil {
		return nil, err
	}
	calls := make([]Invocation, 0, count)
	for i := range count {
		start := s.clock().Now()
		run, err := s.call(ctx, w.pkg, w.action, w.timeoutS)
		total := s.clock().Now().Sub(start)
		if fault.Is(err, fault.NotFound) {
			err = fault.New(fault.NotFound,
				i18n.M("Runtime {{.Image}} with {{.Memory}} MB is not deployed.", "Image", w.image, "Memory", w.memoryMB),
				i18n.M("Deploy it with 'ibmcloud fn-runtime deploy {{.Image}} --memory {{.Memory}}'.", "Image", w.image, "Memory", w.memoryMB)).Because(err)
		}
		if err == nil && !run.Success {
			err = s.diagnose(ctx, w, run)
		}
		if err != nil {
			return calls, err
		}
		calls = append(calls, Invocation{
			ActivationID: run.ID, Cold: run.InitMS > 0, Total: total,
			InitMS: run.InitMS, RunMS: max(0, run.DurationMS-run.InitMS), WaitMS: run.WaitMS,
		})
		s.progress(i+1, count)
	}
	return calls, nil
}
