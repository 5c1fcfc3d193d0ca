package runtime

import (
	"bytes"
	"context"
	"slices"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/parallel"
)

// The states of this machine's copy of a metadata object.
const (
	CacheSame   = "same"
	CacheAbsent = "absent"
	CacheStale  = "stale"
)

// Show gives one runtime in full, an entry for each memory size and Lithops version, with what differs from what the
// installed client would deploy now.
func (s *Service) Show(ctx context.Context, req ShowRequest) ([]Detail, error) {
	var memory []int
	if req.MemoryMB != 0 {
		memory = []int{req.MemoryMB}
	}
	sel, err := s.selector(req.Name, memory, "")
	if err != nil {
		return nil, err
	}
	op := i18n.M("Reading runtime {{.Name}} in namespace {{.Namespace}}", "Name", req.Name, "Namespace", s.Target.Namespace)
	end := s.begin(op)
	details, err := s.show(ctx, sel)
	err = fault.During(op, err)
	end(err)
	return details, err
}

func (s *Service) show(ctx context.Context, sel selector) ([]Detail, error) {
	inv, bundle, err := s.survey(ctx)
	if err != nil {
		return nil, err
	}
	entries := sel.pick(inv)
	if len(entries) == 0 {
		return nil, sel.missing(inv)
	}
	digests := s.readDigests(ctx, entries)
	details, errs := parallel.Each(ctx, parallel.NewGroup(s.Jobs), entries, func(ctx context.Context, e entry) (Detail, error) {
		return s.detail(ctx, e, bundle, digests[e.image])
	})
	return details, parallel.First(errs)
}

// detail reads what lists leave out: the image, all annotations, the metadata.
func (s *Service) detail(ctx context.Context, e entry, bundle, digest string) (Detail, error) {
	d := Detail{BundleCurrent: bundle, DigestCurrent: digest, ClientPython: s.Install.Python, ClientLithops: s.Install.Version, MetadataKey: e.key}
	var object []byte
	ran := ""
	err := parallel.Together(ctx, func(ctx context.Context) error {
		if e.orphan {
			return nil
		}
		a, err := s.Functions.Action(ctx, e.action.Package, e.action.Name)
		if err == nil {
			a.Package, a.Name = e.action.Package, e.action.Name
			e.action, ran = a, a.Image
		}
		return err
	}, func(ctx context.Context) (err error) {
		if object, err = s.Store.Get(ctx, e.key); fault.Is(err, fault.NotFound) {
			return nil
		}
		return err
	})
	if err != nil {
		return d, err
	}
	e.hasObject = object != nil
	stored, broken := readMetadata(object)
	if broken == nil {
		e.python = stored.PythonVersion
		d.Modules = slices.Compact(stored.Modules())
	}
	cached, err := s.Cache.ReadMetadata(e.key)
	d.CachePath, _ = s.Cache.Path(e.key)
	switch {
	case err != nil:
		d.CacheState = CacheAbsent
	case bytes.Equal(cached, object):
		d.CacheState = CacheSame
	default:
		d.CacheState = CacheStale
	}
	d.Runtime = s.describe(e, bundle, digest)
	if ran != "" {
		d.Image = ran
	}
	d.BundleDeployed, d.MetadataStored, d.Annotations = note(e.action, noteBundle), e.hasObject, e.action.Annotations
	d.Drift = s.drift(e, d, stored, broken)
	return d, nil
}

// drift says in sentences how a runtime differs from what the client expects.
func (s *Service) drift(e entry, d Detail, stored storedMetadata, broken error) []i18n.Message {
	var drift []i18n.Message
	say := func(yes bool, text i18n.Message) {
		if yes {
			drift = append(drift, text)
		}
	}
	say(!d.Reason.IsZero(), d.Reason)
	if e.orphan {
		return drift
	}
	seconds := e.action.TimeoutMS / 1000
	say(d.BundleDeployed == "", i18n.M("It was deployed by another tool, so its Lithops code is not known."))
	say(d.State != Outdated && d.BundleDeployed != "" && d.BundleCurrent != "" && d.BundleDeployed != d.BundleCurrent && e.version == s.Install.Version,
		i18n.M("Its Lithops code is not the client's."))
	say(d.State != Outdated && d.Digest != "" && d.DigestCurrent != "" && d.Digest != d.DigestCurrent, i18n.M("The tag points to another image now."))
	if d.MetadataStored {
		say(broken != nil, i18n.M("Its metadata cannot be read."))
		say(broken == nil && stored.TimeoutS == 0, i18n.M("Its metadata lacks the time limit: the client's next job fails."))
		say(broken == nil && stored.TimeoutS != 0 && stored.TimeoutS != seconds,
			i18n.M("Its metadata says a time limit of {{.Stored}} s, the action has {{.Action}} s.", "Stored", stored.TimeoutS, "Action", seconds))
		say(broken == nil && stored.LithopsVersion != e.version, i18n.M("Its metadata is of Lithops {{.Version}}.", "Version", stored.LithopsVersion))
		say(broken == nil && d.BundleDeployed != "" && stored.Proof != proof(e.action), i18n.M("Its metadata was stored before the action was last changed."))
	}
	say(d.CacheState == CacheStale && d.MetadataStored, i18n.M("The copy in this machine's cache differs from the metadata in the bucket, and the client reads the copy."))
	say(d.CacheState == CacheStale && !d.MetadataStored, i18n.M("This machine's cache has metadata that the bucket does not have."))
	say(s.Target.HostPython, i18n.M("The local endpoint runs the Python of this machine, not the image."))
	return drift
}
