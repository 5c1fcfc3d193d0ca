package openwhisk

import (
	"context"
	"slices"
	"strings"

	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/parallel"
	"fn-runtime/runtime/transport"
)

// Runtimes lists the actions that Lithops can have named, of every release and user key, side by side and page after
// page: the number of requests grows with pages. Only actions that do not say their image in an annotation are read one
// by one. A namespace that is not there holds nothing.
func (c *Compute) Runtimes(ctx context.Context) (entity.Listing, error) {
	var l entity.Listing
	packages, err := c.packages(ctx, func(name string) bool {
		_, ok := lithops.PackageUserKey(name)
		return ok
	})
	if err != nil {
		return l, err
	}
	slices.Sort(packages)
	for _, name := range packages {
		l.Resources = append(l.Resources, entity.Resource{Term: packageTerm, Name: name})
	}
	g := parallel.NewGroup(c.jobs)
	pages, errs := parallel.Each(ctx, g, packages, c.named)
	if err := parallel.FirstError(errs); err != nil {
		return l, err
	}
	l.Runtimes, err = c.withImages(ctx, g, slices.Concat(pages...))
	return l, err
}

// packages returns the names of those packages that want says; none where the namespace is not there.
func (c *Compute) packages(ctx context.Context, want func(name string) bool) ([]string, error) {
	err := c.client.Find(ctx)
	if fault.Is(err, fault.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var names []string
	for pkg, err := range c.client.Packages(ctx) {
		if err != nil {
			return nil, c.namespaceGone(ctx, err)
		}
		if want(pkg.Name) {
			names = append(names, pkg.Name)
		}
	}
	if len(names) == 0 {
		return nil, c.client.foreign(ctx)
	}
	return names, nil
}

// named lists the actions of one package that Lithops can have named.
func (c *Compute) named(ctx context.Context, pkg string) ([]entity.Registered, error) {
	var list []entity.Registered
	for a, err := range c.client.Actions(ctx, pkg) {
		if err != nil {
			return nil, c.packageGone(ctx, pkg, err) // nil: it went meanwhile
		}
		a.Package = pkg
		if r := c.registered(a); r.NamedMB > 0 {
			list = append(list, r)
		}
	}
	return list, nil
}

// withImages reads the actions that do not say their image, and leaves out those that run none: they are not Lithops'.
func (c *Compute) withImages(ctx context.Context, g *parallel.Group, list []entity.Registered) ([]entity.Registered, error) {
	var unknown []*entity.Registered
	for i := range list {
		if list[i].Note(entity.NoteImage) == "" {
			unknown = append(unknown, &list[i])
		}
	}
	_, errs := parallel.Each(ctx, g, unknown, func(ctx context.Context, r *entity.Registered) (struct{}, error) {
		whole, err := c.Runtime(ctx, r.ID)
		if err == nil {
			*r = whole
		}
		if fault.Is(err, fault.NotFound) {
			err = nil
		}
		return struct{}{}, err
	})
	list = slices.DeleteFunc(list, func(r entity.Registered) bool { return r.Reference == "" && r.Note(entity.NoteImage) == "" })
	return list, parallel.FirstError(errs)
}

// Runtime reads one runtime; fault.NotFound when it is not there.
func (c *Compute) Runtime(ctx context.Context, id entity.ID) (entity.Registered, error) {
	a, err := c.client.Action(ctx, id.Group, id.Name)
	if err != nil {
		return entity.Registered{}, err
	}
	a.Package, a.Name = id.Group, id.Name
	return c.registered(a), nil
}

// registered reads from the names of an action what Lithops meant by them.
func (c *Compute) registered(a Action) entity.Registered {
	r := entity.Registered{
		ID: entity.ID{Group: a.Package, Name: a.Name}, Reference: a.Image, MemoryMB: a.MemoryMB, TimeoutMS: a.TimeoutMS,
		Notes: a.Annotations, UpdatedAt: a.UpdatedAt, Revision: a.Version, Own: c.own(a.Package),
	}
	var ok bool
	if r.NamedMB, r.Version, ok = lithops.ParseAction(a.Package, a.Name); ok {
		contract := c.contract
		contract.Version = r.Version
		r.MetadataKey = contract.MetadataKey(a.Name)
	}
	return r
}

// own reports whether a package name ends in a user part that this user's keys make. Releases cut the keys in different
// ways, so there can be several.
func (c *Compute) own(pkg string) bool {
	key, ok := lithops.PackageUserKey(pkg)
	if !ok {
		return false
	}
	if key == c.contract.UserKey {
		return true
	}
	version, old := lithops.PackageVersion(pkg)
	if !old {
		version = "2.9.0" // the last release that shared the newest package name but not the newest key rule
	}
	made, err := lithops.UserKey(c.contract.Backend, version, c.settings)
	return err == nil && made == key
}

// Unregister removes a runtime; nil when it is not there.
func (c *Compute) Unregister(ctx context.Context, id entity.ID) error {
	return transport.ConfirmNotFound(id.String(), c.client.DeleteAction(ctx, id.Group, id.Name), func() error { _, err := c.client.Action(ctx, id.Group, id.Name); return err })
}

// Leftovers returns what Clean removes: every action of the user's packages, also those that Lithops did not name, because
// they are in its way and its own clean removes them too; then the packages.
func (c *Compute) Leftovers(ctx context.Context) ([][]entity.Resource, error) {
	packages, err := c.packages(ctx, c.own)
	if err != nil {
		return nil, err
	}
	lists, errs := parallel.Each(ctx, parallel.NewGroup(c.jobs), packages, func(ctx context.Context, pkg string) ([]entity.Resource, error) {
		var list []entity.Resource
		for a, err := range c.client.Actions(ctx, pkg) {
			if err != nil {
				return nil, c.packageGone(ctx, pkg, err)
			}
			image, _ := a.Annotations[entity.NoteImage].(string)
			list = append(list, entity.Resource{Term: actionTerm, Name: pkg + "/" + a.Name, Image: image, MemoryMB: a.MemoryMB})
		}
		return list, nil
	})
	emptied := make([]entity.Resource, len(packages))
	for i, name := range packages {
		emptied[i] = entity.Resource{Term: packageTerm, Name: name}
	}
	return [][]entity.Resource{slices.Concat(lists...), emptied}, parallel.FirstError(errs)
}

func idOf(name string) entity.ID {
	pkg, action, _ := strings.Cut(name, "/")
	return entity.ID{Group: pkg, Name: action}
}
