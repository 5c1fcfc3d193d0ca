package runtime

import (
	"context"
	"slices"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/manifest"
	"fn-runtime/runtime/site"
)

// Export returns the runtimes of the installed Lithops version and this user key as a file of 'apply'. Memory sizes of
// an image with otherwise equal settings are combined. name is a part of an image name; "" exports all runtimes.
func (s *Service) Export(ctx context.Context, name string) (manifest.File, error) {
	op := i18n.M("Listing runtimes in {{.Place}}", "Place", s.Scope())
	return during(s, op, func() (f manifest.File, err error) {
		inv, err := s.Inventory(ctx)
		if err != nil {
			return f, err
		}
		for _, e := range inv.Entries {
			if e.Own && !e.Orphan && e.Version == s.Contract.Version && s.nameContains(e, name) {
				f.Runtimes = mergeSizes(f.Runtimes, declaration(e))
			}
		}
		return f, nil
	})
}

// declaration returns the declaration of a deployed runtime.
func declaration(e site.Entry) manifest.Runtime {
	rt := manifest.Runtime{Image: e.Image, MemoryMB: []int{e.NamedMB}, MilliCPU: e.MilliCPU, TimeoutS: e.TimeoutMS / 1000, Pin: e.Pinned()}
	if e.Note(entity.NoteCode) == entity.CodeInImage {
		rt.Code = entity.CodeInImage
	}
	return rt
}

// mergeSizes adds a runtime to the list. If the list contains one that differs only in memory, it adds the memory size
// to it.
func mergeSizes(all []manifest.Runtime, rt manifest.Runtime) []manifest.Runtime {
	for i, have := range all {
		if have.Image == rt.Image && have.MilliCPU == rt.MilliCPU && have.TimeoutS == rt.TimeoutS && have.Pin == rt.Pin && have.Code == rt.Code {
			all[i].MemoryMB = slices.Compact(slices.Sorted(slices.Values(append(have.MemoryMB, rt.MemoryMB...))))
			return all
		}
	}
	return append(all, rt)
}
