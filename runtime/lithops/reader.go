package lithops

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops/pyyaml"
)

// reader reads typed values from one section or from several merged sections. It keeps the first error, so that callers
// check for an error only once, at the end.
type reader struct {
	config *Config
	names  map[string]string // key -> section that it was read from
	values map[string]*pyyaml.Node
	err    error
}

// reader returns a reader of the given sections. If several sections contain a key, the last one takes precedence, as
// in Python's dict.update.
func (c *Config) reader(sections ...string) *reader {
	r := &reader{config: c, names: map[string]string{}, values: map[string]*pyyaml.Node{}}
	for _, s := range sections {
		r.overlay(s, c.root.Get(s))
	}
	return r
}

// overlay adds the keys of a section. They replace existing keys.
func (r *reader) overlay(name string, section *pyyaml.Node) {
	if section == nil {
		return
	}
	if section.Kind != pyyaml.Map {
		r.fail(i18n.M("Section '{{.Section}}' of the Lithops configuration contains no keys ({{.Place}}).",
			"Section", name, "Place", location(r.config.source, section.Line, 0)),
			i18n.M("Indent the keys of the section below the section name."))
		return
	}
	for _, key := range section.Keys {
		if v := section.Get(key); v != nil {
			r.values[key], r.names[key] = v, name
		}
	}
}

func (r *reader) fail(reason, recovery i18n.Message) {
	if r.err == nil {
		r.err = fault.New(fault.Invalid, reason, recovery)
	}
}

func (r *reader) wrongType(key string, wanted, recovery i18n.Message) {
	r.fail(i18n.M("The key '{{.Key}}' in section '{{.Section}}' of the Lithops configuration must be {{.Wanted}} ({{.Place}}).",
		"Key", key, "Section", r.names[key], "Wanted", wanted, "Place", location(r.config.source, r.values[key].Line, 0)), recovery)
}

func (r *reader) has(key string) bool { return r.values[key] != nil }

// text returns a string. It returns "" if the key is missing or null. It does not accept a number, because Lithops
// would fail on it later.
func (r *reader) text(key string) string {
	v := r.values[key]
	if v == nil {
		return ""
	}
	if v.Kind != pyyaml.Text {
		r.wrongType(key, i18n.M("a string"), i18n.M("Write the value in quotes."))
		return ""
	}
	return v.Text
}

// number returns an integer. It returns def if the key is missing.
func (r *reader) number(key string, def int64) int64 {
	v := r.values[key]
	if v == nil {
		return def
	}
	if v.Kind == pyyaml.Int {
		if n, err := v.Int(); err == nil {
			return n
		}
	}
	r.wrongType(key, i18n.M("an integer"), i18n.M("Write the value as digits, without quotes."))
	return def
}

// milliCPU returns a number of CPUs, which may have a fraction, in mCPU. It returns def if the key is missing.
func (r *reader) milliCPU(key string, def int) int {
	v := r.values[key]
	if v == nil {
		return def
	}
	if v.Kind == pyyaml.Int || v.Kind == pyyaml.Float {
		if f, err := strconv.ParseFloat(strings.ReplaceAll(v.Text, "_", ""), 64); err == nil && math.Abs(f) < 1e6 {
			return int(math.Round(f * 1000))
		}
	}
	r.wrongType(key, i18n.M("a number"), i18n.M("Write the value as digits, without quotes."))
	return def
}

// flag returns a boolean. It returns false if the key is missing.
func (r *reader) flag(key string) bool {
	v := r.values[key]
	if v == nil {
		return false
	}
	if v.Kind != pyyaml.Bool {
		r.wrongType(key, i18n.M("true or false"), i18n.M("Write true or false, without quotes."))
		return false
	}
	return v.True()
}

// location describes a position in a configuration for users.
func location(source string, line, column int) i18n.Message {
	switch {
	case line == 0:
		return i18n.M("{{.Source}}", "Source", source)
	case column == 0:
		return i18n.M("{{.Source}}, line {{.Line}}", "Source", source, "Line", line)
	}
	return i18n.M("{{.Source}}, line {{.Line}}, column {{.Column}}", "Source", source, "Line", line, "Column", fmt.Sprint(column))
}
