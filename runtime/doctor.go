package runtime

import (
	"context"

	"fn-runtime/i18n"
	"fn-runtime/runtime/check"
)

// Doctor checks all preconditions. With repair it fixes data that this plug-in manages. It returns an error only if it
// is interrupted; failures are reported in the checks.
func (s *Service) Doctor(ctx context.Context, repair bool) ([]Check, error) {
	end := s.Begin(i18n.M("Checking prerequisites"))
	doctor := &check.Doctor{Site: &s.Site, Problems: s.Problems, ClientProblem: s.ClientProblem, LoadClientConfig: s.LoadClientConfig, Repair: repair}
	checks, err := doctor.Run(ctx)
	end(err)
	return checks, err
}
