package images

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/docker/go-units"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
)

// Limits for the size of a build context, in bytes: above contextWarn, a warning is printed; above contextLimit, the
// build is refused.
const (
	contextWarn  = 500_000_000
	contextLimit = 2 << 30
)

// checkSize compares the context's size with the limits.
func (b *Builder) checkSize(f *buildContext) error {
	if f.size > contextLimit {
		return fault.New(fault.TooLarge,
			i18n.M("The size of the build context {{.Dir}} is {{.Size}}; the limit is {{.Limit}}.", "Dir", f.dir,
				"Size", units.HumanSize(float64(f.size)), "Limit", units.HumanSize(contextLimit)),
			i18n.M("Use '.dockerignore' to exclude files that the build does not need.")).With(f.largest(5)...)
	}
	if f.size > contextWarn {
		b.o.Warn(i18n.M("The size of the build context {{.Dir}} is {{.Size}}; the largest entries are {{.Entries}}. Use '.dockerignore' to exclude files that the build does not need.",
			"Dir", f.dir, "Size", units.HumanSize(float64(f.size)), "Entries", strings.Join(f.largest(3), ", ")))
	}
	return nil
}

// largest returns the n largest files and directories at the top of the context, with their sizes.
func (f *buildContext) largest(n int) []string {
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
	names := slices.SortedFunc(maps.Keys(sizes), func(a, b string) int {
		return cmp.Or(cmp.Compare(sizes[b], sizes[a]), cmp.Compare(a, b))
	})
	names = names[:min(n, len(names))]
	for i, name := range names {
		names[i] = fmt.Sprintf("%s (%s)", name, units.HumanSize(float64(sizes[name])))
	}
	return names
}
