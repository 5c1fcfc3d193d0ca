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

// Runtimes returns the actions whose names follow the patterns of Lithops, for all releases and user keys. Packages
// are listed in parallel, and the number of requests grows with the number of pages. Actions without an image
// annotation are read one by one. A missing namespace has no runtimes.
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
	pages, errs := parallel.Each(ctx, g, packages, c.lithopsActions)
	if err := parallel.FirstError(errs); err != nil {
		return l, err
	}
	l.Runtimes, err = c.withImages(ctx, g, slices.Concat(pages...))
	return l, err
}

// packages returns the names of the packages that match. It returns none if the namespace does not exist.
func (c *Compute) packages(ctx context.Context, match func(name string) bool) ([]string, error) {
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
			return nil, c.ignoreMissingNamespace(ctx, err)
		}
		if match(pkg.Name) {
			names = append(names, pkg.Name)
		}
	}
	if len(names) == 0 {
		return nil, c.client.checkKeyOwner(ctx)
	}
	return names, nil
}

// lithopsActions returns the actions of a package whose names follow the patterns of Lithops.
func (c *Compute) lithopsActions(ctx context.Context, pkg string) ([]entity.Registered, error) {
	var list []entity.Registered
	for a, err := range c.client.Actions(ctx, pkg) {
		if err != nil {
			return nil, c.ignoreMissingPackage(ctx, pkg, err) // nil if the package was deleted in the meantime
		}
		a.Package = pkg
		if r := c.registered(a); r.NamedMB > 0 {
			list = append(list, r)
		}
	}
	return list, nil
}

// withImages reads the actions without an image annotation. It omits actions that do not run an image because they
// are not runtimes of Lithops.
func (c *Compute) withImages(ctx context.Context, g *parallel.Group, list []entity.Registered) ([]entity.Registered, error) {
	var unknown []*entity.Registered
	for i := range list {
		if list[i].Note(entity.NoteImage) == "" {
			unknown = append(unknown, &list[i])
		}
	}
	_, errs := parallel.Each(ctx, g, unknown, func(ctx context.Context, r *entity.Registered) (struct{}, error) {
		full, err := c.Runtime(ctx, r.ID)
		if err == nil {
			*r = full
		}
		if fault.Is(err, fault.NotFound) {
			err = nil
		}
		return struct{}{}, err
	})
	list = slices.DeleteFunc(list, func(r entity.Registered) bool { return r.Reference == "" && r.Note(entity.NoteImage) == "" })
	return list, parallel.FirstError(errs)
}

// Runtime returns a runtime. It returns a fault.NotFound error if the runtime does not exist.
func (c *Compute) Runtime(ctx context.Context, id entity.ID) (entity.Registered, error) {
	a, err := c.client.Action(ctx, id.Group, id.Name)
	if err != nil {
		return entity.Registered{}, err
	}
	a.Package, a.Name = id.Group, id.Name
	return c.registered(a), nil
}

// registered converts an action. It derives the memory, the release and the metadata key from the names.
func (c *Compute) registered(a Action) entity.Registered {
	r := entity.Registered{
		ID: entity.ID{Group: a.Package, Name: a.Name}, Reference: a.Image, MemoryMB: a.MemoryMB, TimeoutMS: a.TimeoutMS,
		Notes: a.Annotations, UpdatedAt: a.UpdatedAt, Revision: a.Version, Own: c.isOwn(a.Package),
	}
	var ok bool
	if r.NamedMB, r.Version, ok = lithops.ParseAction(a.Package, a.Name); ok {
		contract := c.contract
		contract.Version = r.Version
		r.MetadataKey = contract.MetadataKey(a.Name)
	}
	return r
}

// isOwn reports whether the user part of a package name is derived from the keys of this user. Releases shorten keys
// in different ways, so several user parts are possible.
func (c *Compute) isOwn(pkg string) bool {
	key, ok := lithops.PackageUserKey(pkg)
	if !ok {
		return false
	}
	if key == c.contract.UserKey {
		return true
	}
	version, old := lithops.PackageVersion(pkg)
	if !old {
		version = "2.9.0" // the last release with the current package names but an older rule for the key
	}
	derived, err := lithops.UserKey(c.contract.Backend, version, c.settings)
	return err == nil && derived == key
}

// Unregister deletes a runtime. It returns nil if the runtime does not exist.
func (c *Compute) Unregister(ctx context.Context, id entity.ID) error {
	return transport.ConfirmNotFound(id.String(), c.client.DeleteAction(ctx, id.Group, id.Name), func() error { _, err := c.client.Action(ctx, id.Group, id.Name); return err })
}

// Leftovers returns the resources that Clean deletes: all actions in the packages of the user, then the packages. The
// list includes actions that Lithops did not create, because a package that contains actions cannot be deleted. The
// clean command of Lithops deletes them, too.
func (c *Compute) Leftovers(ctx context.Context) ([][]entity.Resource, error) {
	packages, err := c.packages(ctx, c.isOwn)
	if err != nil {
		return nil, err
	}
	lists, errs := parallel.Each(ctx, parallel.NewGroup(c.jobs), packages, func(ctx context.Context, pkg string) ([]entity.Resource, error) {
		var list []entity.Resource
		for a, err := range c.client.Actions(ctx, pkg) {
			if err != nil {
				return nil, c.ignoreMissingPackage(ctx, pkg, err)
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

// parseID parses the name PACKAGE/ACTION of a resource.
func parseID(name string) entity.ID {
	pkg, action, _ := strings.Cut(name, "/")
	return entity.ID{Group: pkg, Name: action}
}
