package runtime

import (
	"context"
	"strings"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/site"
)

// List returns every deployed runtime, sorted by image, memory and Lithops version, and whether the installed client can
// use it. The number of requests grows with pages, not with runtimes.
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
	inv, bundle, err := s.survey(ctx, false)
	if err != nil {
		return nil, err
	}
	var shown []site.Entry
	for _, e := range inv.Entries {
		if (e.Own || req.AllKeys) && s.named(e, part) {
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

// named reports whether part is in the name of an entry; an orphan is known by the runtime's name.
func (s *Service) named(e site.Entry, part string) bool {
	if e.Orphan {
		part = strings.NewReplacer("/", "_", ":", "_").Replace(part)
	}
	return strings.Contains(e.Name(), part)
}

// describe makes the runtime of an entry; bundle and digest are the current ones, "" when not known.
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
