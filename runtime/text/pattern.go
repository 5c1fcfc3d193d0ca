package text

import (
	"regexp"
	"sync"
)

// Pattern is a regular expression that is compiled when it is first used: at import time, those of this program cost
// every start more than what most commands then do with them. It may be used from several goroutines.
type Pattern struct {
	compiled func() *regexp.Regexp
}

// NewPattern makes a pattern. One that is no regular expression panics at the first use, which tests reach.
func NewPattern(expr string) *Pattern {
	return &Pattern{compiled: sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })}
}

// MatchString reports whether s has a match.
func (p *Pattern) MatchString(s string) bool { return p.compiled().MatchString(s) }

// Match reports whether b has a match.
func (p *Pattern) Match(b []byte) bool { return p.compiled().Match(b) }

// FindStringSubmatch returns the first match of s and its groups, nil without one.
func (p *Pattern) FindStringSubmatch(s string) []string { return p.compiled().FindStringSubmatch(s) }

// FindSubmatch returns the first match of b and its groups, nil without one.
func (p *Pattern) FindSubmatch(b []byte) [][]byte { return p.compiled().FindSubmatch(b) }

// ReplaceAll replaces the matches in b; $1 is the first group.
func (p *Pattern) ReplaceAll(b, by []byte) []byte { return p.compiled().ReplaceAll(b, by) }

// ReplaceAllString replaces the matches in s; $1 is the first group.
func (p *Pattern) ReplaceAllString(s, by string) string { return p.compiled().ReplaceAllString(s, by) }

// ReplaceAllStringFunc replaces each match in s by what by makes of it.
func (p *Pattern) ReplaceAllStringFunc(s string, by func(match string) string) string {
	return p.compiled().ReplaceAllStringFunc(s, by)
}
