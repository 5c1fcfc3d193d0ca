//go:build !linux

package process

// groups and group do nothing: only Linux has control groups.
type (
	groups struct{}
	group  struct{}
)

func findGroups(string) groups           { return groups{} }
func (groups) create(string, int) *group { return nil }
func (*group) kill() bool                { return false }
func (*group) remove()                   {}
