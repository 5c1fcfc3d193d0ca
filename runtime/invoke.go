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

// Invoke invokes a runtime several times in sequence, as the client does for metadata, and measures each call. The
// first call of an idle runtime is a cold start.
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

// cleanupTimeout limits the deletion of the copy, which an interruption does not abort.
const cleanupTimeout = 30 * time.Second

// invokeCopy registers a copy of a runtime, invokes it, and deletes it. The copy has a name that no client uses, so it
// has never run.
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
	cleanup, cancel := grace.Context(ctx, cleanupTimeout)
	defer cancel()
	return calls, errors.Join(err, s.Compute.Unregister(cleanup, w.ID))
}

// notDeployed converts a fault.NotFound error of a call to an error that suggests deploying the runtime. It returns any
// other error unchanged.
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
