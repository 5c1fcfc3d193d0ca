package runtime

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/parallel"
	"fn-runtime/runtime/site"
)

// The states of this machine's cached copy of a metadata object.
const (
	CacheSame   = "same"
	CacheAbsent = "absent"
	CacheStale  = "stale"
)

// Show returns all information about a runtime, with one entry for each memory size and Lithops version, including the
// differences from what the installed client would deploy now.
func (s *Service) Show(ctx context.Context, req ShowRequest) ([]Detail, error) {
	var memory []int
	if req.MemoryMB != 0 {
		memory = []int{req.MemoryMB}
	}
	sel, err := s.Selector(req.Name, memory, "")
	if err != nil {
		return nil, err
	}
	op := i18n.M("Reading runtime {{.Name}} in {{.Place}}", "Name", req.Name, "Place", s.Scope())
	return during(s, op, func() ([]Detail, error) { return s.show(ctx, sel) })
}

func (s *Service) show(ctx context.Context, sel site.Selector) ([]Detail, error) {
	inv, bundle, err := s.readState(ctx, false)
	if err != nil {
		return nil, err
	}
	entries := sel.Pick(inv)
	if len(entries) == 0 {
		return nil, sel.NotFound(inv)
	}
	digests := s.Digests(ctx, entries)
	details, errs := parallel.Each(ctx, parallel.NewGroup(s.Jobs), entries, func(ctx context.Context, e site.Entry) (Detail, error) {
		return s.detail(ctx, e, bundle.SHA256, digests[e.Image])
	})
	return details, parallel.FirstError(errs)
}

// detail reads the data that lists omit: the image, all annotations and the metadata.
func (s *Service) detail(ctx context.Context, e site.Entry, bundle, digest string) (Detail, error) {
	d := Detail{BundleCurrent: bundle, DigestCurrent: digest, ClientPython: s.Install.Python, ClientLithops: s.Install.Version, MetadataKey: e.MetadataKey}
	var object []byte
	registered := e.Registered
	err := parallel.Run(ctx, func(ctx context.Context) error {
		if e.Orphan {
			return nil
		}
		r, err := s.Compute.Runtime(ctx, e.ID)
		if err == nil {
			r.Version, r.NamedMB, r.MetadataKey, r.Own = e.Version, e.NamedMB, e.MetadataKey, e.Own
			registered = r
		}
		return err
	}, func(ctx context.Context) (err error) {
		object, err = s.GetMetadata(ctx, e.MetadataKey)
		return err
	})
	if err != nil {
		return d, err
	}
	e.Registered = registered
	if e.SetMetadata(object); e.Stored != nil {
		d.Modules = slices.Compact(e.Stored.Modules())
	}
	cached, err := s.Cache.ReadMetadata(e.MetadataKey)
	d.CachePath, _ = s.Cache.Path(e.MetadataKey)
	switch {
	case err != nil:
		d.CacheState = CacheAbsent
	case bytes.Equal(cached, object):
		d.CacheState = CacheSame
	default:
		d.CacheState = CacheStale
	}
	d.Runtime = s.describe(e, bundle, digest)
	d.Image = cmp.Or(e.Reference, d.Image)
	d.BundleDeployed, d.MetadataStored, d.Annotations = e.Note(entity.NoteBundle), e.HasObject, e.Notes
	d.Drift = s.drift(e, d)
	return d, nil
}

// drift returns sentences that describe how a runtime differs from the client's expectations.
func (s *Service) drift(e site.Entry, d Detail) []i18n.Message {
	var drift []i18n.Message
	add := func(yes bool, text i18n.Message) {
		if yes && !slices.ContainsFunc(drift, func(m i18n.Message) bool { return m.String() == text.String() }) {
			drift = append(drift, text)
		}
	}
	add(!d.Reason.IsZero(), d.Reason)
	if e.Orphan {
		return drift
	}
	seconds := e.TimeoutMS / 1000
	add(d.BundleDeployed == "", i18n.M("It was deployed by another tool, so its Lithops code is unknown."))
	add(d.State != Outdated && d.BundleDeployed != "" && d.BundleCurrent != "" && d.BundleDeployed != d.BundleCurrent && e.Version == s.Install.Version,
		i18n.M("Its Lithops code differs from the client's."))
	add(d.State != Outdated && d.Digest != "" && d.DigestCurrent != "" && d.Digest != d.DigestCurrent, i18n.M("The tag now points to another image."))
	if d.MetadataStored {
		stored, broken := *e.Stored, e.Stored.PythonVersion == ""
		add(!e.MetadataProblem().IsZero(), e.MetadataProblem())
		add(e.Replaced(), site.ReplacedReason())
		add(!broken && stored.TimeoutS != 0 && stored.TimeoutS != seconds,
			i18n.M("Its metadata specifies a timeout of {{.Stored}} s, but the runtime's timeout is {{.Runtime}} s.", "Stored", stored.TimeoutS, "Runtime", seconds))
		add(!broken && stored.LithopsVersion != e.Version, i18n.M("Its metadata is from Lithops {{.Version}}.", "Version", stored.LithopsVersion))
		add(!broken && d.BundleDeployed != "" && stored.Proof != site.Proof(e.Registered), i18n.M("Its metadata was stored before the runtime was last changed."))
	}
	add(d.CacheState == CacheStale && d.MetadataStored, i18n.M("The copy in the local cache differs from the metadata in the bucket, and the client reads the copy."))
	add(d.CacheState == CacheStale && !d.MetadataStored, i18n.M("The local cache contains metadata that is missing from the bucket."))
	add(s.Target.HostPython, i18n.M("The local endpoint uses the Python installation on this machine, not the image."))
	return drift
}
