package site

import (
	"fmt"
	"slices"
	"strings"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
)

// Selector picks runtimes by the name that a user gives.
type Selector struct {
	s        *Site
	name     string // "default", "all" or an image
	memoryMB []int  // empty: any
	version  string // "" any
}

// Selector checks a name before anything is dialled.
func (s *Site) Selector(name string, memoryMB []int, version string) (Selector, error) {
	var err error
	switch {
	case name == AllName:
	case name == DefaultName:
		_, err = s.Image(name, "")
	default:
		err = lithops.ValidateReference(name)
	}
	if err != nil {
		return Selector{}, err
	}
	return Selector{s: s, name: name, memoryMB: memoryMB, version: version}, nil
}

// matches reports whether an entry is meant. Releases write the same image in different ways, and an orphan is known by
// its action's name only, so the name is put into the form of the entry's own release.
func (sel Selector) matches(e Entry) bool {
	if !e.Own || len(sel.memoryMB) > 0 && !slices.Contains(sel.memoryMB, e.NamedMB) || sel.version != "" && sel.version != e.Version {
		return false
	}
	if sel.name == AllName {
		return true
	}
	image := lithops.Image(sel.name, sel.s.Settings.DockerServer, e.Version)
	if sel.name == DefaultName {
		var err error
		if image, err = lithops.DefaultImage(sel.s.Contract.Backend, e.Version, sel.s.Install.Python); err != nil {
			return false
		}
	}
	if repository, digest, ok := strings.Cut(image, "@"); ok && e.Pinned() && e.Note(entity.NoteDigest) == digest {
		return PinnedReference(e.Image, digest) == PinnedReference(repository, digest)
	}
	if e.Orphan {
		contract := sel.s.Contract
		contract.Version = e.Version
		_, key := contract.Runtime(image, e.NamedMB)
		return e.MetadataKey == key
	}
	return e.Image == image || e.Image == sel.name
}

// Pick returns the entries that are meant, in their order.
func (sel Selector) Pick(inv *Inventory) []Entry {
	var entries []Entry
	for _, e := range inv.Entries {
		if sel.matches(e) {
			entries = append(entries, e)
		}
	}
	return entries
}

// maxListed bounds how many of the runtimes that are there a fault names.
const maxListed = 5

// NotFound is the fault for a name that nothing is deployed under; it says what is there.
func (sel Selector) NotFound(inv *Inventory) error {
	image := lithops.Image(sel.name, sel.s.Settings.DockerServer, sel.s.Contract.Version)
	if sel.name == DefaultName {
		image, _ = sel.s.Image(sel.name, "")
	}
	var there []string
	other := sel
	other.memoryMB, other.version = nil, ""
	similar := other.Pick(inv)
	listed := similar // the same image in other sizes, or of other releases
	if len(similar) == 0 {
		listed = inv.Entries
	}
	for _, e := range listed {
		if e.Own && !e.Orphan && len(there) < maxListed {
			there = append(there, i18n.M("{{.Image}}, {{.Memory}} MB, Lithops {{.Version}}", "Image", e.Image, "Memory", e.NamedMB, "Version", e.Version).String())
		}
	}
	if len(similar) > 0 {
		return fault.New(fault.NotFound,
			i18n.M("Runtime {{.Image}} is deployed in {{.Place}}, but not with {{.Asked}}.", "Image", image, "Place", sel.s.Scope(), "Asked", sel.asked()),
			i18n.M("Specify an existing deployment, or list all with 'ibmcloud fn-runtime list'.")).With(slices.Compact(there)...)
	}
	recovery := i18n.M("Deploy it with 'ibmcloud fn-runtime deploy {{.Name}}', or list all deployments with 'ibmcloud fn-runtime list'.", "Name", sel.name)
	return fault.New(fault.NotFound,
		i18n.M("Runtime {{.Image}} is not deployed in {{.Place}}.", "Image", image, "Place", sel.s.Scope()), recovery).
		With(slices.Compact(there)...)
}

// asked says the sizes and the release that were asked for.
func (sel Selector) asked() string {
	var words []string
	for _, mb := range sel.memoryMB {
		words = append(words, fmt.Sprintf("%d MB", mb))
	}
	if sel.version != "" {
		words = append(words, "Lithops "+sel.version)
	}
	return strings.Join(words, ", ")
}
