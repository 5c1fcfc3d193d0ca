package runtimetest

import (
	"context"
	"maps"
	"slices"
	"strings"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
)

// groupResource returns the resource of a group.
func groupResource(name string) entity.Resource {
	return entity.Resource{Term: entity.Term{Word: "package", Text: i18n.M("Package")}, Name: name}
}

// RequiredResources implements site.Resources.
func (c *Compute) RequiredResources() []entity.Resource {
	return []entity.Resource{groupResource(c.contract.Package())}
}

// HasResource implements site.Resources.
func (c *Compute) HasResource(ctx context.Context, t entity.Resource) (exists bool, err error) {
	err = c.do(ctx, "GET group "+t.Name, func() error { exists = c.groups[t.Name]; return nil })
	return exists, err
}

// CreateResource implements site.Resources.
func (c *Compute) CreateResource(ctx context.Context, t entity.Resource) (created bool, err error) {
	err = c.do(ctx, "PUT group "+t.Name, func() error {
		if c.GroupConflict {
			return nil
		}
		created = !c.groups[t.Name]
		c.groups[t.Name] = true
		return nil
	})
	return created, err
}

// Leftovers implements site.Resources: first the runtimes in the user's groups, then the groups.
func (c *Compute) Leftovers(ctx context.Context) (all [][]entity.Resource, err error) {
	err = c.do(ctx, "LIST leftovers", func() error {
		all = make([][]entity.Resource, 2)
		for _, name := range slices.Sorted(maps.Keys(c.groups)) {
			if key, _ := lithops.PackageUserKey(name); key == c.contract.UserKey {
				all[1] = append(all[1], groupResource(name))
			}
		}
		for _, key := range slices.Sorted(maps.Keys(c.runtimes)) {
			if r := c.read(c.runtimes[key]); r.Own {
				all[0] = append(all[0], entity.Resource{Term: c.Terms().Runtime, Name: key, Image: r.Note(entity.NoteImage), MemoryMB: r.MemoryMB})
			}
		}
		return nil
	})
	return all, err
}

// DeleteResource implements site.Resources. It rejects the deletion of a group that contains runtimes.
func (c *Compute) DeleteResource(ctx context.Context, t entity.Resource) error {
	if t.Term.Word == "action" {
		group, name, _ := strings.Cut(t.Name, "/")
		return c.Unregister(ctx, entity.ID{Group: group, Name: name})
	}
	return c.do(ctx, "DELETE group "+t.Name, func() error {
		if c.inUse(t.Name) {
			return fault.New(fault.Conflict, i18n.M("The package is not empty."), i18n.Message{})
		}
		delete(c.groups, t.Name)
		return nil
	})
}
