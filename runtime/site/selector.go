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

// Selector selects runtimes by the name that a user passed.
type Selector struct {
	s        *Site
	name     string // "default", "all" or an image
	memoryMB []int  // empty: any memory size
	version  string // "": any version
}

// Selector validates a name and returns a selector for it. It sends no requests.
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

// matches reports whether the selector selects an entry. Releases name the same image differently, and an orphan is
// known only by the name of its action, so the name is converted to the form of the entry's release.
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

// Pick returns the selected entries in their order.
func (sel Selector) Pick(inv *Inventory) []Entry {
	var entries []Entry
	for _, e := range inv.Entries {
		if sel.matches(e) {
			entries = append(entries, e)
		}
	}
	return entries
}

// maxListed is the maximum number of existing runtimes that an error lists.
const maxListed = 5

// NotFound returns the error for a name that selects no runtime. It lists existing runtimes and suggests to deploy the
// runtime.
func (sel Selector) NotFound(inv *Inventory) error {
	return sel.notFound(inv, i18n.M("Deploy it with 'ibmcloud fn-runtime deploy {{.Name}}', or list all deployments with 'ibmcloud fn-runtime list'.", "Name", sel.name))
}

// NothingToDelete is NotFound for a command that deletes runtimes. It does not suggest to deploy the runtime.
func (sel Selector) NothingToDelete(inv *Inventory) error {
	return sel.notFound(inv, i18n.M("List the deployed runtimes with 'ibmcloud fn-runtime list'."))
}

func (sel Selector) notFound(inv *Inventory, recovery i18n.Message) error {
	image := lithops.Image(sel.name, sel.s.Settings.DockerServer, sel.s.Contract.Version)
	if sel.name == DefaultName {
		image, _ = sel.s.Image(sel.name, "")
	}
	var existing []string
	other := sel
	other.memoryMB, other.version = nil, ""
	similar := other.Pick(inv)
	listed := similar // the same image with other memory sizes or releases
	if len(similar) == 0 {
		listed = inv.Entries
	}
	for _, e := range listed {
		if e.Own && !e.Orphan && len(existing) < maxListed {
			existing = append(existing, i18n.M("{{.Image}}, {{.Memory}} MB, Lithops {{.Version}}", "Image", e.Image, "Memory", e.NamedMB, "Version", e.Version).String())
		}
	}
	if len(similar) > 0 {
		return fault.New(fault.NotFound,
			i18n.M("Runtime {{.Image}} is deployed in {{.Place}}, but not with {{.Asked}}.", "Image", image, "Place", sel.s.Scope(), "Asked", sel.selection()),
			i18n.M("Specify an existing deployment, or list all with 'ibmcloud fn-runtime list'.")).With(slices.Compact(existing)...)
	}
	return fault.New(fault.NotFound,
		i18n.M("Runtime {{.Image}} is not deployed in {{.Place}}.", "Image", image, "Place", sel.s.Scope()), recovery).
		With(slices.Compact(existing)...)
}

// selection returns the requested memory sizes and release for an error message.
func (sel Selector) selection() string {
	var parts []string
	for _, mb := range sel.memoryMB {
		parts = append(parts, fmt.Sprintf("%d MB", mb))
	}
	if sel.version != "" {
		parts = append(parts, "Lithops "+sel.version)
	}
	return strings.Join(parts, ", ")
}
