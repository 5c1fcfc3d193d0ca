package images

import (
	"fmt"
	"sort"
	"strings"

	"github.com/docker/go-units"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
)

// fits compares the context's size with the limits.
func (b *Builder) fits(f *folder) error {
	if f.size > b.o.ContextLimit {
		return fault.New(fault.TooLarge,
			i18n.M("The build context {{.Dir}} is {{.Size}} large, the limit is {{.Limit}}.", "Dir", f.dir,
				"Size", units.HumanSize(float64(f.size)), "Limit", units.HumanSize(float64(b.o.ContextLimit))),
			i18n.M("List what the build does not need in '.dockerignore'.")).With(f.largest(5)...)
	}
	if f.size > b.o.ContextWarn {
		b.o.Warn(i18n.M("The build context {{.Dir}} is {{.Size}} large; the largest entries are {{.Entries}}. What the build does not need goes into '.dockerignore'.",
			"Dir", f.dir, "Size", units.HumanSize(float64(f.size)), "Entries", strings.Join(f.largest(3), ", ")))
	}
	return nil
}

// largest gives the n largest entries at the top of the folder, files and folders, with their sizes.
func (f *folder) largest(n int) []string {
	sizes := map[string]int64{}
	for _, e := range f.entries {
		if e.info.Mode().IsRegular() {
			top, _, below := strings.Cut(e.name, "/")
			if below {
				top += "/"
			}
			sizes[top] += e.info.Size()
		}
	}
	names := make([]string, 0, len(sizes))
	for name := range sizes {
		names = append(names, name)
	}
	sort.Slice(names, func(i, j int) bool {
		if sizes[names[i]] != sizes[names[j]] {
			return sizes[names[i]] > sizes[names[j]]
		}
		return names[i] < names[j]
	})
	for i, name := range names[:min(n, len(names))] {
		names[i] = fmt.Sprintf("%s (%s)", name, units.HumanSize(float64(sizes[name])))
	}
	return names[:min(n, len(names))]
}
