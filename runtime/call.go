package runtime

import (
	"context"
	"errors"
	"time"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
)

// pullTime is how long a service may take to pull a large image for the first time. A metadata call is waited for so
// long and the runtime's own time limit: what the service says at that limit is the true cause.
const pullTime = 5 * time.Minute

// The pauses between two looks at an activation that outlasts the blocking wait.
const (
	pollFirst = 250 * time.Millisecond
	pollLast  = 4 * time.Second
)

// call invokes an action and follows the activation until it is done.
func (s *Service) call(ctx context.Context, pkg, action string, timeoutS int) (entity.Activation, error) {
	wait := pullTime + time.Duration(timeoutS)*time.Second
	late := fault.New(fault.Timeout,
		i18n.M("Runtime {{.Action}} did not answer within {{.Wait}}.", "Action", action, "Wait", wait),
		i18n.M("Check that the image can be pulled and starts, then run the same command again."))
	ctx, cancel := context.WithTimeoutCause(ctx, wait, late)
	defer cancel()
	payload, err := lithops.Payload(s.Contract.Version)
	if err != nil {
		return entity.Activation{}, err
	}
	run, err := s.Functions.Invoke(ctx, pkg, action, payload)
	for pause := pollFirst; err == nil && !run.Done; pause = min(pause*3/2, pollLast) {
		id := run.ID
		if err = s.clock().Sleep(ctx, pause); err != nil {
			break
		}
		run, err = s.Functions.Activation(ctx, id)
		if fault.Is(err, fault.NotFound) { // its record is written when it ends
			run, err = entity.Activation{ID: id}, nil
		}
	}
	if err != nil && errors.Is(context.Cause(ctx), late) {
		return run, late.Because(err)
	}
	return run, err
}

// extract calls the runtime for its metadata and checks that the client can work with it.
func (s *Service) extract(ctx context.Context, w wanted) (lithops.Metadata, error) {
	run, err := s.call(ctx, w.pkg, w.action, w.timeoutS)
	if err != nil {
		return lithops.Metadata{}, err
	}
	if !run.Success {
		return lithops.Metadata{}, s.diagnose(ctx, w, run)
	}
	md, err := lithops.ParseMetadata(run.Result)
	if err != nil {
		return lithops.Metadata{}, s.diagnose(ctx, w, run)
	}
	switch {
	case md.PythonVersion != w.python:
		return lithops.Metadata{}, fault.New(fault.Failed,
			i18n.M("Runtime {{.Image}} runs Python {{.Runtime}}, but the Lithops client runs Python {{.Client}}.",
				"Image", w.image, "Runtime", md.PythonVersion, "Client", w.python),
			i18n.M("Use an image with Python {{.Client}}, or run the command in an environment with Python {{.Runtime}}.",
				"Runtime", md.PythonVersion, "Client", w.python))
	case md.LithopsVersion != "" && md.LithopsVersion != s.Install.Version: // not told before 2.3.1
		return lithops.Metadata{}, fault.New(fault.Failed,
			i18n.M("Runtime {{.Image}} runs Lithops {{.Runtime}}, but the client is Lithops {{.Client}}.",
				"Image", w.image, "Runtime", md.LithopsVersion, "Client", s.Install.Version),
			i18n.M("Remove the Lithops package from the image: the client's own is sent with the action."))
	}
	return md, nil
}
