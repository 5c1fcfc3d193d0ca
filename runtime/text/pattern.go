package text

import (
	"regexp"
	"sync"
)

// Pattern is a regular expression that is compiled on first use. Compiling all expressions of the program at import
// time would cost every start more than most commands need in total. It is safe for concurrent use.
type Pattern struct {
	compiled func() *regexp.Regexp
}

// NewPattern returns a pattern. An invalid expression panics on first use, which tests cover.
func NewPattern(expr string) *Pattern {
	return &Pattern{compiled: sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })}
}

// MatchString reports whether s has a match.
func (p *Pattern) MatchString(s string) bool { return p.compiled().MatchString(s) }

// Match reports whether b has a match.
func (p *Pattern) Match(b []byte) bool { return p.compiled().Match(b) }

// FindStringSubmatch returns the first match in s and its groups. It returns nil if there is none.
func (p *Pattern) FindStringSubmatch(s string) []string { return p.compiled().FindStringSubmatch(s) }

// FindSubmatch returns the first match in b and its groups. It returns nil if there is none.
func (p *Pattern) FindSubmatch(b []byte) [][]byte { return p.compiled().FindSubmatch(b) }

// ReplaceAll replaces the matches in b; $1 is the first group.
func (p *Pattern) ReplaceAll(b, by []byte) []byte { return p.compiled().ReplaceAll(b, by) }

// ReplaceAllString replaces the matches in s; $1 is the first group.
func (p *Pattern) ReplaceAllString(s, by string) string { return p.compiled().ReplaceAllString(s, by) }

// ReplaceAllStringFunc replaces each match in s with the result of by.
func (p *Pattern) ReplaceAllStringFunc(s string, by func(match string) string) string {
	return p.compiled().ReplaceAllStringFunc(s, by)
}
