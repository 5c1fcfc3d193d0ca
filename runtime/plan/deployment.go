package plan

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/site"
)

// Existing is the existing state of one runtime. Missing parts are nil.
type Existing struct {
	Runtime  *entity.Registered
	Metadata []byte // from the bucket
	Cached   []byte // from the cache of this machine
}

// Deployment is the plan for one runtime. It determines which of the three parts of the runtime are written, and why.
type Deployment struct {
	Want site.Wanted
	Have Existing
	// The parts of the runtime.
	Runtime, Metadata, Cache Item

	site           *site.Site
	bundle         lithops.Bundle
	build          *Task // builds the image; nil if the image is not built
	sharesMetadata bool  // another deployment of the plan writes the metadata of both
	force          bool
	mustRegister   bool // register the runtime
	mustCall       bool // invoke it for its metadata
	stored         site.Metadata
}

// NewDeployment returns the changes that turn the existing state into the desired one. It neither reads nor writes
// anything.
func (p *Plan) NewDeployment(want site.Wanted, have Existing, force bool) *Deployment {
	d := &Deployment{Want: want, Have: have, force: force, site: p.site, bundle: p.bundle}
	d.decide()
	return d
}

// items returns the parts in the order in which they are written.
func (d *Deployment) items() []*Item { return []*Item{&d.Runtime, &d.Metadata, &d.Cache} }

// Changed reports whether anything is written.
func (d *Deployment) Changed() bool {
	return d.Runtime.Change != Unchanged || d.Metadata.Change != Unchanged || d.Cache.Change != Unchanged
}

// Registers reports whether the runtime itself is registered, not only its metadata.
func (d *Deployment) Registers() bool { return d.mustRegister }

// decide compares the desired with the existing state.
func (d *Deployment) decide() {
	want, have := d.Want, d.Have
	reason, onlyLimits := difference(want, have.Runtime, d.bundle.SHA256, d.force)
	d.mustRegister, d.mustCall = !reason.IsZero(), false
	d.Runtime = Item{Kind: KindRuntime, Term: d.site.Compute.Terms().Runtime, Name: want.ID.String(), Reason: reason}
	d.Metadata = Item{Kind: KindMetadata, Name: want.Key}
	d.Cache = Item{Kind: KindCache, Name: want.Key}
	for _, it := range d.items() {
		it.Change, it.Image, it.Memory, it.Status = Unchanged, want.Image, want.MemoryMB, Planned
	}
	expected := ""
	switch {
	case have.Runtime == nil:
		d.Runtime.Change, d.Runtime.Reason = Create, i18n.Message{}
	case d.mustRegister:
		d.Runtime.Change = Update
	}
	if have.Runtime != nil {
		expected = site.Proof(*have.Runtime)
	}

	stored, err := site.ParseMetadata(have.Metadata)
	described := false // whether another memory size with the same code and image has stored the metadata
	if have.Runtime == nil && want.Digest != "" && d.site.Contract.SharesMetadata() {
		expected = site.Proof(d.registration())
		described = err == nil && stored.Proof == expected
	}
	if r := have.Runtime; r != nil && !d.mustRegister && !r.Unmodified() && err == nil && stored.Proof != expected {
		// The tool that stored the metadata may also have replaced the code.
		d.mustRegister, onlyLimits = true, false
		d.Runtime.Change, d.Runtime.Reason = Update, i18n.M("Its metadata was stored by another tool, so its Lithops code is unknown.")
	}
	update := func(reason i18n.Message) { d.mustCall, d.Metadata.Change, d.Metadata.Reason = true, Update, reason }
	switch {
	case have.Metadata == nil:
		d.mustCall, d.Metadata.Change = true, Create
	case err != nil || !stored.Matches(d.site.Install, want.Python):
		update(i18n.M("It does not describe this runtime."))
	case d.mustRegister && !onlyLimits && !described:
		update(i18n.M("The runtime changes."))
	case stored.Proof != expected:
		update(i18n.M("It was stored before the runtime was last changed."))
	case stored.TimeoutS != want.TimeoutS:
		d.Metadata.Change, d.Metadata.Reason = Update, i18n.M("Its timeout differs from the runtime's.")
	}
	d.stored = stored

	switch {
	case have.Cached == nil:
		d.Cache.Change = Create
	case d.Metadata.Change != Unchanged || !bytes.Equal(have.Cached, have.Metadata):
		d.Cache.Change = Update
	}
	if d.sharesMetadata {
		d.mustCall, d.Metadata.Change, d.Cache.Change = false, Unchanged, Unchanged
	}
}

// difference returns why a runtime must be registered: all differences, with the old and new values. It returns the
// zero Message if there are no differences. onlyLimits reports that code and image are unchanged, so that the existing
// metadata is still valid.
func difference(want site.Wanted, r *entity.Registered, bundle string, force bool) (reason i18n.Message, onlyLimits bool) {
	if r == nil {
		return i18n.M("It is not deployed."), false
	}
	deployed := r.Note(entity.NoteBundle)
	if deployed == "" {
		return i18n.M("It was deployed by another tool, so its Lithops code is unknown."), false
	}
	if r.Replaced() {
		return site.ReplacedReason(), false
	}
	content := contentChanges(want, r)
	if deployed != bundle {
		content = append([]i18n.Message{i18n.M("The Lithops code differs.")}, content...)
	}
	if force && len(content) == 0 {
		content = append(content, i18n.M("The change is forced."))
	}
	var limits []i18n.Message
	if r.MemoryMB != want.MemoryMB {
		content = append(content, changeText(i18n.M("Memory"), fmt.Sprintf("%d MB", r.MemoryMB), fmt.Sprintf("%d MB", want.MemoryMB)))
	}
	if want.MilliCPU != 0 && r.MilliCPU != want.MilliCPU {
		limits = append(limits, changeText(i18n.M("CPU"), lithops.FormatCPU(r.MilliCPU)+" vCPU", lithops.FormatCPU(want.MilliCPU)+" vCPU"))
	}
	if r.TimeoutMS != want.TimeoutS*1000 {
		limits = append(limits, changeText(i18n.M("Timeout"), fmt.Sprintf("%g s", float64(r.TimeoutMS)/1000), fmt.Sprintf("%d s", want.TimeoutS)))
	}
	return joinMessages(append(content, limits...)), len(content) == 0
}

// contentChanges returns the differences between a runtime and the desired one, except for the client's code and the
// limits.
func contentChanges(want site.Wanted, r *entity.Registered) (all []i18n.Message) {
	image, digest := cmp.Or(r.Reference, r.Note(entity.NoteImage)), r.Note(entity.NoteDigest)
	switch {
	case r.Reference != "" && r.Reference != want.Reference(), r.Reference == "" && image != "" && image != want.Image:
		all = append(all, changeText(i18n.M("Image"), image, want.Reference()))
	case r.Reference == "" && r.Pinned() && !want.Pin:
		all = append(all, i18n.M("It uses a digest, not the tag."))
	case r.Reference == "" && !r.Pinned() && want.Pin:
		all = append(all, i18n.M("It uses the tag, not a digest."))
	}
	switch {
	case want.Source != "" && r.Note(entity.NoteSource) != want.Source:
		all = append(all, i18n.M("The build inputs of its image have changed."))
	case want.Digest != "" && digest != "" && want.Digest != digest && want.Pin:
		all = append(all, changeText(i18n.M("Digest"), shortDigest(digest), shortDigest(want.Digest)))
	case want.Digest != "" && digest != "" && want.Digest != digest:
		all = append(all, i18n.M("The tag now points to another image."))
	}
	if python := r.Note(entity.NotePython); python != want.Python {
		all = append(all, changeText(i18n.M("Python"), cmp.Or(python, "-"), want.Python))
	}
	if (r.Note(entity.NoteCode) == entity.CodeInImage) != want.InImage {
		all = append(all, i18n.M("The source of its Lithops code changes (image or registered code)."))
	}
	return all
}

// changeText describes the old and the new value of a property.
func changeText(what i18n.Message, old, new string) i18n.Message {
	return i18n.M("{{.What}}: {{.Old}} -> {{.New}}.", "What", what, "Old", old, "New", new)
}

// shortDigest truncates a digest to the digits that a fixed tag contains.
func shortDigest(digest string) string { return digest[:min(len("sha256:")+12, len(digest))] }

// joinMessages joins messages. It returns the zero Message if there are none.
func joinMessages(all []i18n.Message) (one i18n.Message) {
	for i, m := range all {
		if i == 0 {
			one = m
		} else {
			one = i18n.M("{{.One}} {{.More}}", "One", one, "More", m)
		}
	}
	return one
}

// registration returns the runtime to register, with limits, image and notes. It keeps notes of other tools.
func (d *Deployment) registration() entity.Registered {
	want, have := d.Want, d.Have.Runtime
	digest, source := want.Digest, want.Source
	milliCPU, revision := want.MilliCPU, ""
	notes := map[string]any{}
	if have != nil {
		revision = have.Revision
		milliCPU = cmp.Or(milliCPU, have.MilliCPU)
		maps.Copy(notes, have.Notes)
		previous := have.Note(entity.NoteDigest)
		if digest == "" && have.Note(entity.NoteBundle) == d.bundle.SHA256 && (have.Reference == "" || have.Reference == want.Reference()) {
			digest = previous
		}
		if source == "" && digest != "" && digest == previous {
			source = have.Note(entity.NoteSource) // the same image
		}
	}
	set := func(key, value string) {
		delete(notes, key)
		if value != "" {
			notes[key] = value
		}
	}
	if have != nil {
		if previous := have.Note(entity.NoteDigest); previous != "" && digest != "" && previous != digest {
			set(entity.NotePrevious, previous)
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
