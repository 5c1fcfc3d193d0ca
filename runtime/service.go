// Package runtime implements the operations on Lithops runtimes. Each operation is a method of Service in its own file.
// It reads the existing state (runtime/site), adds the required changes to a plan, and runs the plan (runtime/plan)
// unless the request is a dry run.
//
// It contains operations with their requests and results. It does not use HTTP, SDKs, flags or the screen.
package runtime

import (
	"context"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/parallel"
	"fn-runtime/runtime/site"
)

// Service runs operations on one target for one installed Lithops client.
type Service struct {
	site.Site
	Config  *lithops.Config // the configuration from which Settings were read; nil if there is none
	TempDir string          // directory of the client's job files on this machine; Clean ignores it if it is empty
	// LoadClientConfig makes the Lithops client load the configuration and returns its source. If the client rejects
	// it, the error contains the client's message. LoadClientConfig is nil if there is no configuration. Doctor calls
	// it.
	LoadClientConfig func(ctx context.Context) (source string, err error)
	// Problems contains the reasons why parts of the service are unavailable, by the name of the check of Doctor for
	// each part. Only Doctor works with a service that has problems.
	Problems map[string]error
	// ClientProblem returns why the Lithops client in this environment would not work, or not securely, with the
	// service that the check "session" or "bucket" of Doctor has called.
	ClientProblem func(check string) error
}

// during runs an operation as an observed step and adds its description to the error.
func during[T any](s *Service, op i18n.Message, work func() (T, error)) (T, error) {
	end := s.Begin(op)
	result, err := work()
	err = fault.During(op, err)
	end(err)
	return result, err
}

// readState reads the inventory, builds the handler archive of the client's Lithops, and runs more functions, all
// concurrently. If need is false, the archive is used only for comparison, and a failure to build it results in the
// zero Bundle.
func (s *Service) readState(ctx context.Context, need bool, more ...func(context.Context) error) (inv *site.Inventory, bundle lithops.Bundle, err error) {
	err = parallel.Run(ctx, append([]func(context.Context) error{func(ctx context.Context) (err error) {
		inv, err = s.Inventory(ctx)
		return err
	}, func(ctx context.Context) (err error) {
		bundle, err = lithops.BuildBundle(ctx, s.Install, s.Contract.Backend)
		if !need {
			return nil
		}
		return err
	}}, more...)...)
	return inv, bundle, err
}
