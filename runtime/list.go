package runtime

import (
	"context"
	"strings"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/parallel"
)

// List gives every deployed runtime, sorted by image, memory and Lithops version, and whether the installed client can
// use it. The number of requests grows with pages, not with runtimes.
func (s *Service) List(ctx context.Context, req ListRequest) ([]Runtime, error) {
	op := i18n.M("Listing runtimes in namespace {{.Namespace}}", "Namespace", s.Target.Namespace)
	end := s.begin(op)
	runtimes, err := s.list(ctx, req)
	if s.Target.HostPython && len(runtimes) > 0 {
		s.note(i18n.M("The local endpoint runs the Python of this machine, not the images."))
	}
	err = fault.During(op, err)
	end(err)
	return runtimes, err
}

// survey reads what there is, while it finds out what the installed client would deploy.
func (s *Service) survey(ctx context.Context) (inv *inventory, bundle string, err error) {
	err = parallel.Together(ctx, func(ctx context.Context) (err error) {
		inv, err = s.inventory(ctx)
		return err
	}, func(ctx context.Context) error {
		bundle = s.currentBundle(ctx)
		return nil
	})
	return inv, bundle, err
}

func (s *Service) list(ctx context.Context, req ListRequest) ([]Runtime, error) {
	part := req.Name
	if part == DefaultName {
		var err error
		if part, err = s.image(part, ""); err != nil {
			return nil, err
		}
	}
	inv, bundle, err := s.survey(ctx)
	if err != nil {
		return nil, err
	}
	var shown []entry
	for _, e := range inv.entries {
		if (e.own || req.AllKeys) && s.named(e, part) {
			shown = append(shown, e)
		}
	}
	if err := s.readPythons(ctx, shown); err != nil {
		return nil, err
	}
	digests := s.readDigests(ctx, shown)
	runtimes := make([]Runtime, len(shown))
	for i, e := range shown {
		runtimes[i] = s.describe(e, bundle, digests[e.image])
	}
	return runtimes, nil
}

// named tells whether part is in the name of an entry; an orphan is known by its action's name.
func (s *Service) named(e entry, part string) bool {
	if e.orphan {
		part = strings.NewReplacer("/", "_", ":", "_").Replace(part)
	}
	return strings.Contains(e.name(), part)
}

// currentBundle is the hash of the archive that the client's Lithops makes now; "" when there is no Lithops here.
func (s *Service) currentBundle(ctx context.Context) string {
	if s.Install.Dir == "" {
		return ""
	}
	bundle, err := lithops.BuildBundle(ctx, s.Install, s.Contract.Backend)
	if err != nil {
		return ""
	}
	return bundle.SHA256
}

// readPythons reads the metadata of those runtimes of the client's version whose annotations do not tell their Python.
func (s *Service) readPythons(ctx context.Context, entries []entry) error {
	var unknown []int
	for i, e := range entries {
		if !e.orphan && e.hasObject && e.version == s.Contract.Version && note(e.action, notePython) == "" {
			unknown = append(unknown, i)
		}
	}
	_, errs := parallel.Each(ctx, parallel.NewGroup(s.Jobs), unknown, func(ctx context.Context, i int) (struct{}, error) {
		e := &entries[i]
		data, err := s.Store.Get(ctx, e.key)
		if fault.Is(err, fault.NotFound) {
			e.hasObject = false
			return struct{}{}, nil
		}
		if err != nil {
			return struct{}{}, err
		}
		if stored, err := readMetadata(data); err == nil {
			e.python = stored.PythonVersion
		}
		return struct{}{}, nil
	})
	return parallel.First(errs)
}

// describe makes the runtime of an entry; bundle and digest are the current ones, "" when not known.
func (s *Service) describe(e entry, bundle, digest string) Runtime {
	rt := Runtime{
		Name: e.name(), Image: e.image, Digest: note(e.action, noteDigest), MemoryMB: e.memoryMB,
		TimeoutS: e.action.TimeoutMS / 1000, PythonVersion: e.pythonVersion(), LithopsVersion: e.version,
		Package: e.action.Package, Action: e.action.Name, Namespace: s.Target.Namespace, Region: s.Target.Region,
		Backend: s.Target.Backend, UpdatedAt: e.action.UpdatedAt,
	}
	if pinned(e.action) && rt.Digest != "" {
		rt.Image = pinnedReference(e.image, rt.Digest)
	}
	if e.orphan {
		rt.UpdatedAt = e.objectTime.UpdatedAt
	}
	rt.State, rt.Reason = s.state(e, bundle, digest)
	return rt
}

func (e entry) pythonVersion() string {
	if e.python != "" {
		return e.python
	}
	return note(e.action, notePython)
}

// state judges whether the installed client can use a runtime, the worst first.
func (s *Service) state(e entry, bundle, digest string) (State, i18n.Message) {
	python := e.pythonVersion()
	deployed, was := note(e.action, noteBundle), note(e.action, noteDigest)
	switch {
	case e.orphan:
		return OrphanMetadata, i18n.M("Its metadata is stored, but the action is gone: the client would wait for ever.")
	case s.Install.Version != "" && e.version != s.Install.Version:
		return VersionMismatch, i18n.M("It is of Lithops {{.Runtime}}; the client is {{.Client}}.", "Runtime", e.version, "Client", s.Install.Version)
	case s.Store != nil && !e.hasObject:
		return NoMetadata, i18n.M("Its metadata is not stored: the client deploys it again.")
	case s.Install.Python != "" && python != "" && python != s.Install.Python:
		return PythonMismatch, i18n.M("It runs Python {{.Runtime}}; the client runs {{.Client}}.", "Runtime", python, "Client", s.Install.Python)
	case bundle != "" && deployed != "" && deployed != bundle:
		return Outdated, i18n.M("Its Lithops code is not the client's.")
	case digest != "" && was != "" && digest != was:
		return Outdated, tagMoved(e.image, pinned(e.action))
	}
	return Ready, i18n.Message{}
}
