package runtime

import (
	"context"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/parallel"
)

// entry is one deployed action that Lithops can have named, or metadata that has lost its action.
type entry struct {
	action     entity.Action // zero for an orphan
	orphan     bool
	image      string // as the client names it; "" for an orphan, because names do not tell it for certain
	version    string // of Lithops
	memoryMB   int
	key        string // of the metadata object
	python     string // read from the metadata; "" when annotations told it, or nothing does
	hasObject  bool
	objectTime entity.Object
	own        bool // in a package of this user key
}

// inventory is what the namespace and the bucket hold of Lithops.
type inventory struct {
	packages []string // that Lithops named, of every user key
	entries  []entry
}

// inventory reads packages, their actions and the metadata keys side by side, page after page: the number of requests
// grows with pages. Only actions that do not say their image in an annotation are read one by one. Actions in these
// packages that Lithops cannot have named are left out.
func (s *Service) inventory(ctx context.Context) (*inventory, error) {
	inv := &inventory{}
	objects := map[string]entity.Object{}
	err := parallel.Together(ctx,
		func(ctx context.Context) error { return s.readActions(ctx, inv) },
		func(ctx context.Context) error { return s.readMetadataKeys(ctx, objects) },
	)
	if err != nil {
		return nil, err
	}
	for i := range inv.entries {
		e := &inv.entries[i]
		e.key = s.contractOf(e.version).MetadataKey(e.action.Name)
		e.objectTime, e.hasObject = objects[e.key]
	}
	inv.addOrphans(objects)
	s.addCachedOrphans(inv)
	slices.SortFunc(inv.entries, byName)
	return inv, nil
}

// addOrphans adds the metadata whose action is in no package of any key: another key's runtime is not an orphan.
func (inv *inventory) addOrphans(objects map[string]entity.Object) {
	known := make(map[string]bool, len(inv.entries))
	for _, e := range inv.entries {
		known[e.key] = true
	}
	for key, object := range objects {
		if known[key] {
			continue
		}
		ref, ok := lithops.ParseMetadataKey(key)
		if !ok {
			continue
		}
		inv.entries = append(inv.entries, entry{
			orphan: true, own: true, version: ref.Version, memoryMB: ref.MemoryMB, key: key, hasObject: true,
			objectTime: object, action: entity.Action{Name: ref.Action},
		})
	}
}

// addCachedOrphans adds the metadata that only this machine's cache still holds: the client reads it before the bucket.
func (s *Service) addCachedOrphans(inv *inventory) {
	known := make(map[string]bool, len(inv.entries))
	for _, e := range inv.entries {
		known[e.key] = true
	}
	for _, key := range s.cachedKeys() {
		ref, ok := lithops.ParseMetadataKey(key)
		if ok && s.here(ref) && !known[key] {
			inv.entries = append(inv.entries, entry{
				orphan: true, own: true, version: ref.Version, memoryMB: ref.MemoryMB, key: key, action: entity.Action{Name: ref.Action},
			})
		}
	}
}

// here tells whether metadata belongs to the service's namespace.
func (s *Service) here(ref lithops.MetadataRef) bool {
	return ref.Backend == s.Contract.Backend && ref.Namespace == s.Contract.Namespace && ref.Region == s.Contract.Region
}

// maxCached bounds how many copies of metadata are looked at.
const maxCached = 10_000

// cachedKeys lists the metadata in this machine's cache. What cannot be read is not there for the client either.
func (s *Service) cachedKeys() []string {
	if s.Cache.Dir == "" {
		return nil
	}
	var keys []string
	root := filepath.Join(s.Cache.Dir, filepath.FromSlash(lithops.RuntimesPrefix))
	_ = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || len(keys) == maxCached {
			return fs.SkipAll
		}
		if rel, err := filepath.Rel(s.Cache.Dir, path); err == nil && d.Type().IsRegular() {
			keys = append(keys, filepath.ToSlash(rel))
		}
		return nil
	})
	return keys
}

func byName(a, b entry) int {
	if c := strings.Compare(a.name(), b.name()); c != 0 {
		return c
	}
	if a.memoryMB != b.memoryMB {
		return a.memoryMB - b.memoryMB
	}
	if c := strings.Compare(a.version, b.version); c != 0 {
		return c
	}
	return strings.Compare(a.action.Package, b.action.Package)
}

// name is what people read: the image or, for an orphan, the name of the action that is gone.
func (e entry) name() string {
	if e.image == "" {
		return e.action.Name
	}
	return e.image
}

// contractOf is the contract of another Lithops version at the same place.
func (s *Service) contractOf(version string) lithops.Contract {
	c := s.Contract
	c.Version = version
	return c
}

// ownPackage tells whether a package name ends in a user part that this user's keys make. Releases cut the keys in
// different ways, so there can be several.
func (s *Service) ownPackage(pkg string) bool {
	key, ok := lithops.PackageUserKey(pkg)
	if !ok {
		return false
	}
	if key == s.Contract.UserKey {
		return true
	}
	version, old := lithops.PackageVersion(pkg)
	if !old {
		version = "2.9.0" // the last release that shared the newest package name but not the newest key rule
	}
	made, err := lithops.UserKey(s.Contract.Backend, version, s.Compute)
	return err == nil && made == key
}

func (s *Service) readActions(ctx context.Context, inv *inventory) error {
	err := s.Namespace.Find(ctx)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	for pkg, err := range s.Functions.Packages(ctx) {
		if err != nil {
			return s.namespaceGone(ctx, err)
		}
		if _, ok := lithops.PackageUserKey(pkg.Name); ok {
			inv.packages = append(inv.packages, pkg.Name)
		}
	}
	slices.Sort(inv.packages)
	g := parallel.NewGroup(s.Jobs)
	pages, errs := parallel.Each(ctx, g, inv.packages, s.readPackage)
	if err := parallel.First(errs); err != nil {
		return err
	}
	inv.entries = slices.Concat(pages...)
	return s.readImages(ctx, g, inv)
}

// readPackage lists the actions of one package that Lithops can have named.
func (s *Service) readPackage(ctx context.Context, pkg string) ([]entry, error) {
	own := s.ownPackage(pkg)
	var entries []entry
	for a, err := range s.Functions.Actions(ctx, pkg) {
		if err != nil {
			return nil, s.packageGone(ctx, pkg, err) // nil: it went meanwhile
		}
		memory, version, ok := lithops.ParseAction(pkg, a.Name)
		if !ok {
			continue
		}
		a.Package = pkg
		entries = append(entries, entry{action: a, image: note(a, noteImage), version: version, memoryMB: memory, own: own})
	}
	return entries, nil
}

// readImages reads the actions that do not say their image, and drops those that run none: they are not Lithops'.
func (s *Service) readImages(ctx context.Context, g *parallel.Group, inv *inventory) error {
	var unknown []int
	for i, e := range inv.entries {
		if e.image == "" {
			unknown = append(unknown, i)
		}
	}
	_, errs := parallel.Each(ctx, g, unknown, func(ctx context.Context, i int) (struct{}, error) {
		e := &inv.entries[i]
		a, err := s.Functions.Action(ctx, e.action.Package, e.action.Name)
		if fault.Is(err, fault.NotFound) {
			return struct{}{}, nil
		}
		if err == nil {
			a.Package, a.Name = e.action.Package, e.action.Name
			e.action, e.image = a, a.Image
		}
		return struct{}{}, err
	})
	inv.entries = slices.DeleteFunc(inv.entries, func(e entry) bool { return e.image == "" })
	return parallel.First(errs)
}

// readMetadataKeys lists the metadata of this namespace, of every Lithops version.
func (s *Service) readMetadataKeys(ctx context.Context, objects map[string]entity.Object) error {
	if s.Store == nil {
		return nil
	}
	var mu sync.Mutex
	_, errs := parallel.Each(ctx, parallel.NewGroup(s.Jobs), s.Contract.MetadataPrefixes(), func(ctx context.Context, prefix string) (struct{}, error) {
		for object, err := range s.Store.List(ctx, prefix) {
			if err != nil {
				return struct{}{}, err
			}
			ref, ok := lithops.ParseMetadataKey(object.Key)
			if !ok || !s.here(ref) {
				continue
			}
			mu.Lock()
			objects[object.Key] = object
			mu.Unlock()
		}
		return struct{}{}, nil
	})
	return parallel.First(errs)
}
