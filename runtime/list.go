package runtime

import (
	"context"
	"strings"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/site"
)

// List returns the deployed runtimes, sorted by image, memory and Lithops version, with their states for the installed
// client. The number of requests grows with the number of pages, not with the number of runtimes.
func (s *Service) List(ctx context.Context, req ListRequest) ([]Runtime, error) {
	op := i18n.M("Listing runtimes in {{.Place}}", "Place", s.Scope())
	return during(s, op, func() ([]Runtime, error) {
		runtimes, err := s.list(ctx, req)
		if s.Target.HostPython && len(runtimes) > 0 {
			s.Note(i18n.M("The local endpoint uses the Python installation on this machine, not the images."))
		}
		return runtimes, err
	})
}

func (s *Service) list(ctx context.Context, req ListRequest) ([]Runtime, error) {
	part := req.Name
	if part == DefaultName {
		var err error
		if part, err = s.Image(part, ""); err != nil {
			return nil, err
		}
	}
	inv, bundle, err := s.readState(ctx, false)
	if err != nil {
		return nil, err
	}
	var shown []site.Entry
	for _, e := range inv.Entries {
		if (e.Own || req.AllKeys) && s.nameContains(e, part) {
			shown = append(shown, e)
		}
	}
	if err := s.ReadMetadata(ctx, shown); err != nil {
		return nil, err
	}
	digests := s.Digests(ctx, shown)
	runtimes := make([]Runtime, len(shown))
	for i, e := range shown {
		runtimes[i] = s.describe(e, bundle.SHA256, digests[e.Image])
	}
	return runtimes, nil
}

// nameContains reports whether part is contained in the name of an entry. An orphan has only the name of its runtime.
func (s *Service) nameContains(e site.Entry, part string) bool {
	if e.Orphan {
		part = strings.NewReplacer("/", "_", ":", "_").Replace(part)
	}
	return strings.Contains(e.Name(), part)
}

// describe returns the runtime of an entry. bundle and digest are the current ones; "" if unknown.
func (s *Service) describe(e site.Entry, bundle, digest string) Runtime {
	rt := Runtime{
		Name: e.Name(), Image: e.Image, Digest: e.Note(entity.NoteDigest), MemoryMB: e.NamedMB,
		MilliCPU: e.MilliCPU, TimeoutS: e.TimeoutMS / 1000, PythonVersion: e.Python(), LithopsVersion: e.Version,
		ID: e.ID, Namespace: s.Target.Namespace, Region: s.Target.Region,
		Backend: s.Target.Backend, UpdatedAt: e.UpdatedAt,
	}
	if e.Pinned() && rt.Digest != "" {
		rt.Image = site.PinnedReference(e.Image, rt.Digest)
	}
	if e.Orphan {
		rt.UpdatedAt = e.Object.UpdatedAt
	}
	rt.State, rt.Reason = s.StateOf(e, bundle, digest)
	return rt
}
