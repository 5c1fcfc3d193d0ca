package runtime

import (
	"cmp"
	"context"
	"strings"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/parallel"
	"fn-runtime/runtime/site"
)

// List gives every deployed runtime, sorted by image, memory and Lithops version, and whether the installed client can
// use it. The number of requests grows with pages, not with runtimes.
func (s *Service) List(ctx context.Context, req ListRequest) ([]Runtime, error) {
	op := i18n.M("Listing runtimes in namespace {{.Namespace}}", "Namespace", s.Target.Namespace)
	return during(s, op, func() ([]Runtime, error) {
		runtimes, err := s.list(ctx, req)
		if s.Target.HostPython && len(runtimes) > 0 {
			s.Note(i18n.M("The local endpoint runs the Python of this machine, not the images."))
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
	if err := s.readPythons(ctx, shown); err != nil {
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

// readPythons reads the metadata of those runtimes of the client's version whose annotations do not tell their Python.
func (s *Service) readPythons(ctx context.Context, entries []site.Entry) error {
	var unknown []int
	for i, e := range entries {
		if !e.Orphan && e.HasObject && e.Version == s.Contract.Version && e.Note(entity.NotePython) == "" {
			unknown = append(unknown, i)
		}
	}
	_, errs := parallel.Each(ctx, parallel.NewGroup(s.Jobs), unknown, func(ctx context.Context, i int) (struct{}, error) {
		e := &entries[i]
		data, err := s.Stored(ctx, e.MetadataKey)
		e.HasObject = err == nil && data != nil
		if stored, err := site.ParseMetadata(data); err == nil {
			e.Python = stored.PythonVersion
		}
		return struct{}{}, err
	})
	return parallel.First(errs)
}

// describe makes the runtime of an entry; bundle and digest are the current ones, "" when not known.
func (s *Service) describe(e site.Entry, bundle, digest string) Runtime {
	rt := Runtime{
		Name: e.Name(), Image: e.Image, Digest: e.Note(entity.NoteDigest), MemoryMB: e.NamedMB,
		TimeoutS: e.TimeoutMS / 1000, PythonVersion: pythonOf(e), LithopsVersion: e.Version,
		ID: e.ID, Namespace: s.Target.Namespace, Region: s.Target.Region,
		Backend: s.Target.Backend, UpdatedAt: e.UpdatedAt,
	}
	if e.Pinned() && rt.Digest != "" {
		rt.Image = site.PinnedReference(e.Image, rt.Digest)
	}
	if e.Orphan {
		rt.UpdatedAt = e.Object.UpdatedAt
	}
	rt.State, rt.Reason = s.state(e, bundle, digest)
	return rt
}

func pythonOf(e site.Entry) string { return cmp.Or(e.Python, e.Note(entity.NotePython)) }

// state judges whether the installed client can use a runtime, the worst first.
func (s *Service) state(e site.Entry, bundle, digest string) (State, i18n.Message) {
	python := pythonOf(e)
	deployed, was := e.Note(entity.NoteBundle), e.Note(entity.NoteDigest)
	switch {
	case e.Orphan:
		return OrphanMetadata, i18n.M("Its metadata is stored, but the action is gone: the client would wait for ever.")
	case s.Install.Version != "" && e.Version != s.Install.Version:
		return VersionMismatch, i18n.M("It is of Lithops {{.Runtime}}; the client is {{.Client}}.", "Runtime", e.Version, "Client", s.Install.Version)
	case s.Store != nil && !e.HasObject:
		return NoMetadata, i18n.M("Its metadata is not stored: the client deploys it again.")
	case s.Install.Python != "" && python != "" && python != s.Install.Python:
		return PythonMismatch, i18n.M("It runs Python {{.Runtime}}; the client runs {{.Client}}.", "Runtime", python, "Client", s.Install.Python)
	case bundle != "" && deployed != "" && deployed != bundle:
		return Outdated, i18n.M("Its Lithops code is not the client's.")
	case digest != "" && was != "" && digest != was:
		return Outdated, site.TagMoved(e.Image, e.Pinned())
	}
	return Ready, i18n.Message{}
}
