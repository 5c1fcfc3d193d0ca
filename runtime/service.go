// Package runtime is what can be done to Lithops runtimes. Each operation is one method of Service in a file of its own:
// it reads what is there (runtime/site), puts what is wanted into a plan and has that carried out (runtime/plan), unless
// the request says DryRun.
//
// What may go in: operations, their requests and results. What may not: HTTP, SDKs, flags, and anything that reaches the
// screen.
package runtime

import (
	"context"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/parallel"
	"fn-runtime/runtime/site"
)

// Service does the operations on one target for one installed Lithops client.
type Service struct {
	site.Site
	Config  *lithops.Config // the configuration that Settings are of; nil where none was read
	TempDir string          // where the client keeps the files of its jobs on this machine; "" is left alone by Clean
	// LoadClientConfig has the Lithops client load the configuration that is used, names it, and fails with the client's words where
	// it refuses it; nil where there is none. Doctor asks.
	LoadClientConfig func(ctx context.Context) (source string, err error)
	// Problems holds, by the name of a check of Doctor, why a part of the service could not be had. Only Doctor
	// works with a service that has any.
	Problems map[string]error
	// ClientProblem returns why the Lithops client of this environment would not work, or not in safety, with the service that
	// the check "session" or "bucket" of Doctor has asked.
	ClientProblem func(check string) error
}

// during does the work of an operation, watched, and says in its error what was being done.
func during[T any](s *Service, op i18n.Message, work func() (T, error)) (T, error) {
	end := s.Begin(op)
	result, err := work()
	err = fault.During(op, err)
	end(err)
	return result, err
}

// survey reads what there is, while the archive that the client's Lithops makes is built, and whatever more is done.
// Where the archive is only compared, need is false, and one that cannot be built is the zero Bundle.
func (s *Service) survey(ctx context.Context, need bool, more ...func(context.Context) error) (inv *site.Inventory, bundle lithops.Bundle, err error) {
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
