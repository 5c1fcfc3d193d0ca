package site

import (
	"context"
	"errors"
	"time"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
)

// pullTimeout is how long a service may take to pull a large image for the first time. A metadata call waits for this
// time plus the runtime's own timeout, because the service reports the actual cause only when that timeout expires.
const pullTimeout = 5 * time.Minute

// Call invokes a runtime for its metadata and waits for the activation, which may have failed.
func (s *Site) Call(ctx context.Context, w Wanted) (entity.Activation, error) {
	wait := pullTimeout + time.Duration(w.TimeoutS)*time.Second
	late := fault.New(fault.Timeout,
		i18n.M("Runtime {{.Action}} did not respond within {{.Wait}}.", "Action", w.ID.Name, "Wait", wait),
		i18n.M("Check that the image can be pulled and started, then rerun the command."))
	ctx, cancel := context.WithTimeoutCause(ctx, wait, late)
	defer cancel()
	run, err := s.Compute.Call(ctx, w.ID)
	if err != nil && errors.Is(context.Cause(ctx), late) {
		return run, late.Because(err)
	}
	return run, err
}

// Describe invokes a runtime for its metadata and checks that the client is compatible with it.
func (s *Site) Describe(ctx context.Context, w Wanted) (lithops.Metadata, error) {
	run, err := s.Call(ctx, w)
	if err != nil {
		return lithops.Metadata{}, err
	}
	if !run.Success {
		return lithops.Metadata{}, s.Diagnose(ctx, w, run)
	}
	md, err := lithops.ParseMetadata(run.Result)
	if err != nil {
		return lithops.Metadata{}, s.Diagnose(ctx, w, run)
	}
	switch {
	case md.PythonVersion != w.Python:
		return lithops.Metadata{}, fault.New(fault.Failed,
			i18n.M("Runtime {{.Image}} runs Python {{.Runtime}}, but the Lithops client runs Python {{.Client}}.",
				"Image", w.Image, "Runtime", md.PythonVersion, "Client", w.Python),
			i18n.M("Use an image with Python {{.Client}}, or run the command in an environment with Python {{.Runtime}}.",
				"Runtime", md.PythonVersion, "Client", w.Python))
	case md.LithopsVersion != "" && md.LithopsVersion != s.Install.Version: // not reported before 2.3.1
		return lithops.Metadata{}, fault.New(fault.Failed,
			i18n.M("Runtime {{.Image}} runs Lithops {{.Runtime}}, but the client runs Lithops {{.Client}}.",
				"Image", w.Image, "Runtime", md.LithopsVersion, "Client", s.Install.Version),
			i18n.M("Remove the Lithops package from the image. The client sends its own package with the action."))
	}
	return md, nil
}
