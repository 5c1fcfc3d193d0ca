package runtime

import (
	"bytes"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/lithops"
)

// wanted is one runtime as it should be.
type wanted struct {
	image    string // as the client names it: the names of action and metadata come from it
	digest   string // "" when not known
	pin      bool   // run the digest rather than the tag
	memoryMB int
	timeoutS int
	python   string // that the runtime must have
	source   string // fingerprint of what the image is built from; "" where it is not built
	pkg      string
	action   string
	key      string // of the metadata object
}

// reference is what goes into exec.image.
func (w wanted) reference() string {
	if w.pin && w.digest != "" {
		return pinnedReference(w.image, w.digest)
	}
	return w.image
}

// found is what is there of one runtime. Empty parts are not there.
type found struct {
	action   *entity.Action
	metadata []byte // of the bucket
	cached   []byte // of this machine's cache
}

// change is the plan for one runtime: which of its three parts are written, and why.
type change struct {
	want wanted
	have found
	put  bool // write the action
	call bool // call the runtime for its metadata
	keep storedMetadata
	// items of the plan: the action, its metadata object and its cache entry
	action, metadata, cache Item
}

// changed tells whether anything is written.
func (c *change) changed() bool {
	return c.action.Change != Unchanged || c.metadata.Change != Unchanged || c.cache.Change != Unchanged
}

// begin forgets what an earlier attempt at the same plan came to.
func (c *change) begin() {
	for _, it := range []*Item{&c.action, &c.metadata, &c.cache} {
		it.Status, it.Err = Planned, nil
	}
}

// end gives the items that are still planned their last status.
func (c *change) end(status Status) {
	for _, it := range []*Item{&c.action, &c.metadata, &c.cache} {
		if it.Status == Planned {
			it.Status = status
		}
	}
}

func (c *change) items() []Item { return []Item{c.action, c.metadata, c.cache} }

// reconcile plans what brings have to want. It decides; it neither reads nor writes.
func (s *Service) reconcile(want wanted, have found, bundle lithops.Bundle, force bool) *change {
	c := &change{want: want, have: have}
	reason, onlyLimits := difference(want, have, bundle.SHA256, force)
	c.put = !reason.IsZero()
	c.action = Item{Change: Unchanged, Kind: KindAction, Name: want.pkg + "/" + want.action, Reason: reason}
	c.metadata = Item{Change: Unchanged, Kind: KindMetadata, Name: want.key}
	c.cache = Item{Change: Unchanged, Kind: KindCache, Name: want.key}
	for _, it := range []*Item{&c.action, &c.metadata, &c.cache} {
		it.Image, it.Memory, it.Status = want.image, want.memoryMB, Planned
	}
	expected := ""
	if c.put {
		c.action.Change = Update
		if have.action == nil {
			c.action.Change = Create
			c.action.Reason = i18n.Message{}
		}
	}
	if have.action != nil {
		expected = proof(*have.action)
	}

	stored, err := readMetadata(have.metadata)
	switch {
	case have.metadata == nil:
		c.call = true
		c.metadata.Change = Create
	case err != nil || !stored.fits(s.Install, want.python):
		c.call = true
		c.metadata.Change, c.metadata.Reason = Update, i18n.M("It does not describe this runtime.")
	case c.put && !onlyLimits:
		c.call = true
		c.metadata.Change, c.metadata.Reason = Update, i18n.M("The action changes.")
	case stored.Proof != expected:
		c.call = true
		c.metadata.Change, c.metadata.Reason = Update, i18n.M("It was stored before the action was last changed.")
	case stored.TimeoutS != want.timeoutS:
		c.metadata.Change, c.metadata.Reason = Update, i18n.M("Its time limit is not that of the action.")
	}
	c.keep = stored

	switch {
	case have.cached == nil:
		c.cache.Change = Create
	case c.metadata.Change != Unchanged || !bytes.Equal(have.cached, have.metadata):
		c.cache.Change = Update
	}
	return c
}

// difference says why the action must be written; zero when it need not be. onlyLimits tells that its code and image
// stay, so that what the runtime said about itself still holds.
func difference(want wanted, have found, bundle string, force bool) (reason i18n.Message, onlyLimits bool) {
	a := have.action
	if a == nil {
		return i18n.M("It is not deployed."), false
	}
	deployed, digest := note(*a, noteBundle), note(*a, noteDigest)
	switch {
	case deployed == "":
		return i18n.M("It was deployed by another tool, so its code is not known."), false
	case deployed != bundle:
		return i18n.M("The Lithops code differs."), false
	case a.Image != "" && a.Image != want.reference():
		return i18n.M("It runs the image {{.Image}}.", "Image", a.Image), false
	case a.Image == "" && note(*a, noteImage) != "" && note(*a, noteImage) != want.image:
		return i18n.M("It runs the image {{.Image}}.", "Image", note(*a, noteImage)), false
	case a.Image == "" && pinned(*a) && !want.pin:
		return i18n.M("It runs a digest, not the tag."), false
	case a.Image == "" && !pinned(*a) && want.pin:
		return i18n.M("It runs the tag, not a digest."), false
	case want.source != "" && note(*a, noteSource) != want.source:
		return i18n.M("What its image is built from differs."), false
	case want.digest != "" && digest != "" && want.digest != digest:
		return i18n.M("The tag points to another image now."), false
	case note(*a, notePython) != want.python:
		return i18n.M("It was deployed for Python {{.Python}}.", "Python", note(*a, notePython)), false
	case force:
		return i18n.M("The change is forced."), false
	case a.MemoryMB != want.memoryMB:
		return i18n.M("Its memory is {{.Memory}} MB.", "Memory", a.MemoryMB), false
	case a.TimeoutMS != want.timeoutS*1000:
		return i18n.M("Its time limit is {{.Timeout}} s.", "Timeout", float64(a.TimeoutMS)/1000), true
	}
	return i18n.Message{}, false
}

// registration is the action as deploy writes it: limits, image and annotations. Annotations of others stay.
func (s *Service) registration(c *change, bundle lithops.Bundle) entity.Action {
	notes := map[string]any{}
	digest := c.want.digest
	if have := c.have.action; have != nil {
		for k, v := range have.Annotations {
			switch k {
			case "exec", "provide-api-key", "binary": // the server's own
			default:
				notes[k] = v
			}
		}
		if digest == "" && note(*have, noteBundle) == bundle.SHA256 && (have.Image == "" || have.Image == c.want.reference()) {
			digest = note(*have, noteDigest)
		}
	}
	if have := c.have.action; c.want.source == "" && have != nil && digest != "" && digest == note(*have, noteDigest) {
		c.want.source = note(*have, noteSource) // the same image
	}
	for _, k := range []string{noteDigest, notePinned, entity.InterpreterAnnotation, noteSource} {
		delete(notes, k)
	}
	if c.want.source != "" {
		notes[noteSource] = c.want.source
	}
	notes[noteBundle] = bundle.SHA256
	notes[noteImage] = c.want.image
	notes[noteLithops] = s.Install.Version
	notes[notePython] = c.want.python
	notes[noteVersion] = s.Version
	if digest != "" {
		notes[noteDigest] = digest
	}
	if c.want.pin {
		notes[notePinned] = true
	}
	if s.Target.HostPython && s.Install.Interpreter != "" {
		notes[entity.InterpreterAnnotation] = s.Install.Interpreter
	}
	return entity.Action{
		Package: c.want.pkg, Name: c.want.action, Image: c.want.reference(),
		MemoryMB: c.want.memoryMB, TimeoutMS: c.want.timeoutS * 1000, Annotations: notes,
	}
}
