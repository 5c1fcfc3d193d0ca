package plan

import (
	"bytes"
	"cmp"
	"maps"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/site"
)

// Found is what is there of one runtime. Empty parts are not there.
type Found struct {
	Runtime  *entity.Registered
	Metadata []byte // of the bucket
	Cached   []byte // of this machine's cache
}

// Deployment is the plan for one runtime that should be there: which of its three parts are written, and why.
type Deployment struct {
	Want site.Wanted
	Have Found
	// The parts.
	Runtime, Metadata, Cache Item

	site   *site.Site
	bundle lithops.Bundle
	after  *Task // the build of its image; nil: it is not built
	shares bool  // another deployment of the plan writes the metadata that both have in common
	force  bool
	put    bool // register the runtime
	call   bool // call it for its metadata
	keep   site.Metadata
}

// Decide plans what brings have to want. It neither reads nor writes.
func (p *Plan) Decide(want site.Wanted, have Found, force bool) *Deployment {
	d := &Deployment{Want: want, Have: have, force: force, site: p.site, bundle: p.bundle}
	d.decide()
	return d
}

// Items gives the parts in the order in which they are written.
func (d *Deployment) Items() []*Item { return []*Item{&d.Runtime, &d.Metadata, &d.Cache} }

// Changed reports whether anything is written.
func (d *Deployment) Changed() bool {
	return d.Runtime.Change != Unchanged || d.Metadata.Change != Unchanged || d.Cache.Change != Unchanged
}

// Put reports whether the runtime is registered anew, not only its metadata.
func (d *Deployment) Put() bool { return d.put }

// decide compares what is wanted with what was found.
func (d *Deployment) decide() {
	want, have := d.Want, d.Have
	reason, onlyLimits := difference(want, have.Runtime, d.bundle.SHA256, d.force)
	d.put, d.call = !reason.IsZero(), false
	d.Runtime = Item{Kind: KindRuntime, Term: d.site.Compute.Terms().Runtime, Name: want.ID.String(), Reason: reason}
	d.Metadata = Item{Kind: KindMetadata, Name: want.Key}
	d.Cache = Item{Kind: KindCache, Name: want.Key}
	for _, it := range d.Items() {
		it.Change, it.Image, it.Memory, it.Status = Unchanged, want.Image, want.MemoryMB, Planned
	}
	expected := ""
	switch {
	case have.Runtime == nil:
		d.Runtime.Change, d.Runtime.Reason = Create, i18n.Message{}
	case d.put:
		d.Runtime.Change = Update
	}
	if have.Runtime != nil {
		expected = site.Proof(*have.Runtime)
	}

	stored, err := site.ParseMetadata(have.Metadata)
	described := false // by the metadata of another memory size with the same code in the same image
	if have.Runtime == nil && want.Digest != "" && d.site.Contract.SharesMetadata() {
		expected = site.Proof(d.registration())
		described = err == nil && stored.Proof == expected
	}
	if r := have.Runtime; r != nil && !d.put && !r.Vouched() && err == nil && stored.Proof != expected {
		// Who stored it may have replaced the code, too.
		d.put, onlyLimits = true, false
		d.Runtime.Change, d.Runtime.Reason = Update, i18n.M("Its metadata was stored by another tool, so its code is not known.")
	}
	again := func(reason i18n.Message) { d.call, d.Metadata.Change, d.Metadata.Reason = true, Update, reason }
	switch {
	case have.Metadata == nil:
		d.call, d.Metadata.Change = true, Create
	case err != nil || !stored.Fits(d.site.Install, want.Python):
		again(i18n.M("It does not describe this runtime."))
	case d.put && !onlyLimits && !described:
		again(i18n.M("The action changes."))
	case stored.Proof != expected:
		again(i18n.M("It was stored before the action was last changed."))
	case stored.TimeoutS != want.TimeoutS:
		d.Metadata.Change, d.Metadata.Reason = Update, i18n.M("Its time limit is not that of the action.")
	}
	d.keep = stored

	switch {
	case have.Cached == nil:
		d.Cache.Change = Create
	case d.Metadata.Change != Unchanged || !bytes.Equal(have.Cached, have.Metadata):
		d.Cache.Change = Update
	}
	if d.shares {
		d.call, d.Metadata.Change, d.Cache.Change = false, Unchanged, Unchanged
	}
}

// difference says why a runtime must be registered; zero when it need not be. onlyLimits reports that its code and image
// stay, so that what it said about itself still holds.
func difference(want site.Wanted, r *entity.Registered, bundle string, force bool) (reason i18n.Message, onlyLimits bool) {
	if r == nil {
		return i18n.M("It is not deployed."), false
	}
	deployed, image, digest := r.Note(entity.NoteBundle), r.Note(entity.NoteImage), r.Note(entity.NoteDigest)
	switch {
	case deployed == "":
		return i18n.M("It was deployed by another tool, so its code is not known."), false
	case r.Replaced():
		return site.Replaced(), false
	case deployed != bundle:
		return i18n.M("The Lithops code differs."), false
	case r.Reference != "" && r.Reference != want.Reference():
		return i18n.M("It runs the image {{.Image}}.", "Image", r.Reference), false
	case r.Reference == "" && image != "" && image != want.Image:
		return i18n.M("It runs the image {{.Image}}.", "Image", image), false
	case r.Reference == "" && r.Pinned() && !want.Pin:
		return i18n.M("It runs a digest, not the tag."), false
	case r.Reference == "" && !r.Pinned() && want.Pin:
		return i18n.M("It runs the tag, not a digest."), false
	case want.Source != "" && r.Note(entity.NoteSource) != want.Source:
		return i18n.M("What its image is built from differs."), false
	case want.Digest != "" && digest != "" && want.Digest != digest:
		return i18n.M("The tag points to another image now."), false
	case r.Note(entity.NotePython) != want.Python:
		return i18n.M("It was deployed for Python {{.Python}}.", "Python", r.Note(entity.NotePython)), false
	case force:
		return i18n.M("The change is forced."), false
	case (r.Note(entity.NoteCode) == entity.CodeInImage) != want.InImage:
		return i18n.M("Its Lithops code comes from elsewhere: the image, or what is registered with it."), false
	case r.MemoryMB != want.MemoryMB:
		return i18n.M("Its memory is {{.Memory}} MB.", "Memory", r.MemoryMB), false
	case want.MilliCPU != 0 && r.MilliCPU != want.MilliCPU:
		return i18n.M("It has {{.CPU}} vCPU.", "CPU", lithops.FormatCPU(r.MilliCPU)), true
	case r.TimeoutMS != want.TimeoutS*1000:
		return i18n.M("Its time limit is {{.Timeout}} s.", "Timeout", float64(r.TimeoutMS)/1000), true
	}
	return i18n.Message{}, false
}

// registration is the runtime as it is registered: limits, image and notes. Notes of others stay.
func (d *Deployment) registration() entity.Registered {
	want, have := d.Want, d.Have.Runtime
	digest, source := want.Digest, want.Source
	milliCPU, revision := want.MilliCPU, ""
	notes := map[string]any{}
	if have != nil {
		revision = have.Revision
		milliCPU = cmp.Or(milliCPU, have.MilliCPU)
		maps.Copy(notes, have.Notes)
		was := have.Note(entity.NoteDigest)
		if digest == "" && have.Note(entity.NoteBundle) == d.bundle.SHA256 && (have.Reference == "" || have.Reference == want.Reference()) {
			digest = was
		}
		if source == "" && digest != "" && digest == was {
			source = have.Note(entity.NoteSource) // the same image
		}
	}
	set := func(key, value string) {
		delete(notes, key)
		if value != "" {
			notes[key] = value
		}
	}
	set(entity.NoteDigest, digest)
	set(entity.NoteSource, source)
	set(entity.NoteInterpreter, "")
	if d.site.Target.HostPython {
		set(entity.NoteInterpreter, d.site.Install.Interpreter)
	}
	set(entity.NoteCode, "")
	if want.InImage {
		set(entity.NoteCode, entity.CodeInImage)
	}
	delete(notes, entity.NotePinned)
	if want.Pin {
		notes[entity.NotePinned] = true
	}
	notes[entity.NoteBundle] = d.bundle.SHA256
	notes[entity.NoteImage] = want.Image
	notes[entity.NoteLithops] = d.site.Install.Version
	notes[entity.NotePython] = want.Python
	notes[entity.NoteVersion] = d.site.Version
	return entity.Registered{ID: want.ID, Reference: want.Reference(), MemoryMB: want.MemoryMB, MilliCPU: milliCPU, TimeoutMS: want.TimeoutS * 1000,
		Notes: notes, Revision: revision}
}
