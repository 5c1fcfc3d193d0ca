package runtime

import (
	"context"

	"fn-runtime/i18n"
	"fn-runtime/runtime/check"
)

// Doctor checks every precondition, and with repair mends what is the plug-in's own. It deploys nothing. The error is
// only that of an interruption: what is wrong stands in the checks.
func (s *Service) Doctor(ctx context.Context, repair bool) ([]Check, error) {
	end := s.Begin(i18n.M("Checking prerequisites"))
	doctor := &check.Doctor{Site: &s.Site, Problems: s.Problems, ClientProblem: s.ClientProblem, LoadClientConfig: s.LoadClientConfig, Repair: repair}
	checks, err := doctor.Run(ctx)
	end(err)
	return checks, err
}
