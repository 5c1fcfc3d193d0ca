package runtime

import (
	"slices"
	"strings"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
)

// selector picks runtimes by the name that a user gives.
type selector struct {
	s        *Service
	name     string // "default", "all" or an image
	memoryMB []int  // empty: any
	version  string // "" any
}

// selector checks a name before anything is dialled.
func (s *Service) selector(name string, memoryMB []int, version string) (selector, error) {
	var err error
	switch {
	case name == AllName:
	case name == DefaultName:
		_, err = s.image(name, "")
	default:
		err = lithops.ValidateReference(name)
	}
	if err != nil {
		return selector{}, err
	}
	return selector{s: s, name: name, memoryMB: memoryMB, version: version}, nil
}

// matches tells whether an entry is meant. Releases write the same image in different ways, and an orphan is known by
// its action's name only, so the name is put into the form of the entry's own release.
func (sel selector) matches(e entry) bool {
	if !e.own || len(sel.memoryMB) > 0 && !slices.Contains(sel.memoryMB, e.memoryMB) || sel.version != "" && sel.version != e.version {
		return false
	}
	if sel.name == AllName {
		return true
	}
	image := lithops.Image(sel.name, sel.s.Compute.DockerServer, e.version)
	if sel.name == DefaultName {
		var err error
		if image, err = lithops.DefaultImage(sel.s.Contract.Backend, e.version, sel.s.Install.Python); err != nil {
			return false
		}
	}
	if repository, digest, ok := strings.Cut(image, "@"); ok && pinned(e.action) && note(e.action, noteDigest) == digest {
		return pinnedReference(e.image, digest) == pinnedReference(repository, digest)
	}
	if e.orphan {
		return e.action.Name == sel.s.contractOf(e.version).Action(image, e.memoryMB)
	}
	return e.image == image || e.image == sel.name
}

// pick gives the entries that are meant, in their order.
func (sel selector) pick(inv *inventory) []entry {
	var entries []entry
	for _, e := range inv.entries {
		if sel.matches(e) {
			entries = append(entries, e)
		}
	}
	return entries
}

// missing is the fault for a name that nothing is deployed under; it says what is there.
func (sel selector) missing(inv *inventory) error {
	image := lithops.Image(sel.name, sel.s.Compute.DockerServer, sel.s.Contract.Version)
	if sel.name == DefaultName {
		image, _ = sel.s.image(sel.name, "")
	}
	var there []string
	for _, e := range inv.entries {
		if e.own && !e.orphan && len(there) < shownLines {
			there = append(there, i18n.M("{{.Image}}, {{.Memory}} MB, Lithops {{.Version}}", "Image", e.image, "Memory", e.memoryMB, "Version", e.version).String())
		}
	}
	recovery := i18n.M("Deploy it with 'ibmcloud fn-runtime deploy {{.Name}}', or see what is deployed with 'ibmcloud fn-runtime list'.", "Name", sel.name)
	return fault.New(fault.NotFound,
		i18n.M("Runtime {{.Image}} is not deployed in namespace {{.Namespace}}.", "Image", image, "Namespace", sel.s.Target.Namespace), recovery).
		With(slices.Compact(there)...)
}
