package manifest

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"fn-runtime/i18n"
)

// The keys of a file, as in docs/schema/apply.json.
var (
	topKeys     = []string{"runtimes", "regions"}
	runtimeKeys = []string{"image", "memory", "cpu", "timeout", "code", "regions", "pin", "build"}
	buildKeys   = []string{"context", "dockerfile", "args", "platform"}
)

// codeSources are the values of the key "code".
var codeSources = []string{"config-map", "image"}

func (r *reader) runtimes(n *yaml.Node) (all []Runtime) {
	members, ok := r.mapping(n, topKeys...)
	if !ok {
		return nil
	}
	runtimes, ok := members["runtimes"]
	if !ok {
		r.report(r.at(n), i18n.M("The key 'runtimes' is missing."))
		return nil
	}
	var regions []string
	if m, ok := members["regions"]; ok {
		regions = r.stringList(m.value)
	}
	if tagOf(runtimes.value) == "!!null" {
		return nil // an empty list: --prune then deletes everything
	}
	list, ok := r.list(runtimes.value)
	if !ok {
		return nil
	}
	for _, one := range list {
		if rt, ok := r.runtime(one, regions); ok {
			all = append(all, rt)
		}
	}
	return all
}

func (r *reader) stringList(n *yaml.Node) (list []string) {
	for _, one := range r.listOrOne(n) {
		if s := r.nonEmptyString(one); s != "" && !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	return list
}

// runtime reads one entry. A string is an image without further settings.
func (r *reader) runtime(n *yaml.Node, regions []string) (Runtime, bool) {
	rt := Runtime{At: r.at(n), Regions: regions}
	if n = resolveAlias(n); tagOf(n) == "!!str" {
		rt.Image = r.nonEmptyString(n)
		return rt, true
	}
	members, ok := r.mapping(n, runtimeKeys...)
	if !ok {
		return rt, false
	}
	image, ok := members["image"]
	if !ok {
		at := rt.At
		for _, m := range members {
			if m.at.Line < at.Line || at == rt.At {
				at = m.at
			}
		}
		r.report(at, i18n.M("The key 'image' is missing."))
		return rt, false
	}
	rt.At, rt.Image = r.at(image.value), r.nonEmptyString(image.value)
	if m, ok := members["build"]; ok {
		rt.Build, rt.Pin = r.build(m.value), true // pinned by default, because a service does not notice a new image with the same tag
		if rt.Image == "default" {
			r.report(m.at, i18n.M("'default' is not an image that can be built."))
		}
	}
	if m, ok := members["memory"]; ok {
		for _, one := range r.listOrOne(m.value) {
			rt.MemoryMB = append(rt.MemoryMB, r.number(one))
		}
		if len(rt.MemoryMB) == 0 {
			r.report(m.at, i18n.M("The list is empty."))
		}
	}
	if m, ok := members["cpu"]; ok {
		rt.MilliCPU = r.milliCPU(m.value)
	}
	if m, ok := members["timeout"]; ok {
		rt.TimeoutS = r.number(m.value)
	}
	if m, ok := members["code"]; ok {
		if rt.Code = r.nonEmptyString(m.value); rt.Code != "" && !slices.Contains(codeSources, rt.Code) {
			r.report(r.at(m.value), i18n.M("Possible values: {{.Values}}.", "Values", strings.Join(codeSources, ", ")))
		}
	}
	if m, ok := members["regions"]; ok {
		if rt.Regions = r.stringList(m.value); len(rt.Regions) == 0 {
			r.report(m.at, i18n.M("The list is empty."))
		}
	}
	if m, ok := members["pin"]; ok {
		rt.Pin = r.boolean(m.value)
	}
	return rt, true
}

// build reads the settings of a build: the directory of the build context, or a mapping with all settings.
func (r *reader) build(n *yaml.Node) *Build {
	if tagOf(resolveAlias(n)) == "!!str" {
		return &Build{Context: r.path(n)}
	}
	members, ok := r.mapping(n, buildKeys...)
	if !ok {
		return nil
	}
	b := &Build{Context: r.dir}
	if m, ok := members["context"]; ok {
		b.Context = r.path(m.value)
	}
	if m, ok := members["dockerfile"]; ok {
		b.Dockerfile = r.path(m.value)
	}
	if m, ok := members["platform"]; ok {
		b.Platform = r.nonEmptyString(m.value)
	}
	if m, ok := members["args"]; ok {
		if args, ok := r.members(m.value, 0); ok {
			b.Args = map[string]string{}
			for key, arg := range args {
				b.Args[key] = r.scalar(arg.value)
			}
		}
	}
	return b
}
