package runtime

import (
	"context"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
)

// An answer "404" to a deletion, or to the listing of a package, is good news and ends the work. It comes from wrong
// routes and gateways too, so it is believed only when a second question gives the same answer.

// actionGone judges the error of a deletion: nil when the action is not there.
func (s *Service) actionGone(ctx context.Context, pkg, name string, err error) error {
	if !fault.Is(err, fault.NotFound) {
		return err
	}
	_, err = s.Functions.Action(ctx, pkg, name)
	switch {
	case fault.Is(err, fault.NotFound):
		return nil
	case err == nil:
		return s.stillThere(pkg + "/" + name)
	}
	return err
}

// packageGone judges the error of a deletion or listing: nil when the package is not there.
func (s *Service) packageGone(ctx context.Context, name string, err error) error {
	if !fault.Is(err, fault.NotFound) {
		return err
	}
	for pkg, err := range s.Functions.Packages(ctx) {
		if err != nil {
			return err
		}
		if pkg.Name == name {
			return s.stillThere(name)
		}
	}
	return nil
}

// namespaceGone judges the error of the listing of packages: nil when the namespace, which the client's cache file had
// told of, is not there.
func (s *Service) namespaceGone(ctx context.Context, err error) error {
	if fault.Is(err, fault.NotFound) && fault.Is(s.Namespace.Find(ctx), fault.NotFound) {
		return nil
	}
	return err
}

// spaceGone judges the error of the deletion of the namespace: nil when it is not there.
func (s *Service) spaceGone(ctx context.Context, err error) error {
	if !fault.Is(err, fault.NotFound) {
		return err
	}
	err = s.Namespace.Find(ctx)
	switch {
	case fault.Is(err, fault.NotFound):
		return nil
	case err == nil:
		return s.stillThere(s.Target.Namespace)
	}
	return err
}

// stillThere says that the service contradicts itself, or that somebody has made the thing again in between.
func (s *Service) stillThere(name string) error {
	return fault.New(fault.Conflict,
		i18n.M("{{.Name}} was not found when it was looked for, and is there all the same: somebody else may have made it again.", "Name", name),
		i18n.M("Run the same command again."))
}
