package runtime

import (
	"cmp"
	"context"
	"errors"
	"time"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/grace"
	"fn-runtime/runtime/lithops"
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
	op := i18n.M("Invoking runtime {{.Image}} with {{.Memory}} MB in {{.Place}}", "Image", image, "Memory", memory, "Place", s.Scope())
	return during(s, op, func() ([]Invocation, error) {
		if err := s.Compute.FindScope(ctx); err != nil {
			return nil, err
		}
		if req.Cold {
			return s.invokeCopy(ctx, w, count)
		}
		return s.invoke(ctx, w, count)
	})
}

// copyTime is how long the removal of a copy may take after an interruption.
const copyTime = 30 * time.Second

// invokeCopy calls a copy of a runtime, under a name that no client asks for and that has never run, and removes it.
func (s *Service) invokeCopy(ctx context.Context, w site.Wanted, count int) ([]Invocation, error) {
	r, err := s.Compute.Runtime(ctx, w.ID)
	if err != nil {
		return nil, notDeployed(w, err)
	}
	bundle, err := lithops.BuildBundle(ctx, s.Install, s.Contract.Backend)
	if err != nil {
		return nil, err
	}
	w.ID.Name += "_cold"
	r.ID = w.ID
	var calls []Invocation
	if _, err = s.Compute.Register(ctx, r, bundle); err == nil {
		calls, err = s.invoke(ctx, w, count)
	}
	end, cancel := grace.Context(ctx, copyTime)
	defer cancel()
	return calls, errors.Join(err, s.Compute.Unregister(end, w.ID))
}

// notDeployed is the fault of a call whose runtime is not there; any other error is as it was.
func notDeployed(w site.Wanted, err error) error {
	if !fault.Is(err, fault.NotFound) {
		return err
	}
	return fault.New(fault.NotFound,
		i18n.M("Runtime {{.Image}} with {{.Memory}} MB is not deployed.", "Image", w.Image, "Memory", w.MemoryMB),
		i18n.M("Deploy it with 'ibmcloud fn-runtime deploy {{.Image}} --memory {{.Memory}}'.", "Image", w.Image, "Memory", w.MemoryMB)).Because(err)
}

func (s *Service) invoke(ctx context.Context, w site.Wanted, count int) ([]Invocation, error) {
	calls := make([]Invocation, 0, count)
	for i := range count {
		start := time.Now()
		run, err := s.Call(ctx, w)
		total := time.Since(start)
		err = notDeployed(w, err)
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
