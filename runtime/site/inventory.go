package site

import (
	"cmp"
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

// Entry is a deployed runtime, or metadata whose runtime no longer exists.
type Entry struct {
	entity.Registered        // for an orphan, only what its metadata key contains
	Orphan            bool   // the runtime does not exist
	Image             string // as the client names it; "" for an orphan, because its name is ambiguous
	Object            entity.Object
	HasObject         bool
	Stored            *Metadata // the parsed object, without a Python version if it is invalid; nil if it was not read
}

// Python returns the Python version of a runtime from its metadata or its notes. It returns "" if neither contains it.
func (e Entry) Python() string {
	if e.Stored != nil && e.Stored.PythonVersion != "" {
		return e.Stored.PythonVersion
	}
	return e.Note(entity.NotePython)
}

// Inventory is the Lithops content of a scope and a bucket.
type Inventory struct {
	Resources []entity.Resource // other objects of the service that the listing returned
	Entries   []Entry
}

// Inventory lists the runtimes and the metadata keys concurrently.
func (s *Site) Inventory(ctx context.Context) (*Inventory, error) {
	inv := &Inventory{}
	objects := map[string]entity.Object{}
	err := parallel.Run(ctx,
		func(ctx context.Context) error { return s.readRuntimes(ctx, inv) },
		func(ctx context.Context) error { return s.MetadataKeys(ctx, objects) },
	)
	if err != nil {
		return nil, err
	}
	known := make(map[string]bool, len(inv.Entries))
	for i := range inv.Entries {
		e := &inv.Entries[i]
		e.Object, e.HasObject = objects[e.MetadataKey]
		known[e.MetadataKey] = true
	}
	// Add metadata that has no runtime under any user key. Metadata of another user's runtime is not an orphan.
	for key, object := range objects {
		if !known[key] {
			s.addOrphan(inv, key, object)
			known[key] = true
		}
	}
	// Add entries that exist only in the cache of this machine, because the client reads it before the bucket.
	for _, key := range s.CachedKeys() {
		if !known[key] {
			s.addOrphan(inv, key, entity.Object{})
		}
	}
	slices.SortFunc(inv.Entries, byName)
	return inv, nil
}

func (s *Site) readRuntimes(ctx context.Context, inv *Inventory) error {
	list, err := s.Compute.Runtimes(ctx)
	inv.Resources = list.Resources
	for _, r := range list.Runtimes {
		inv.Entries = append(inv.Entries, Entry{Registered: r, Image: cmp.Or(r.Note(entity.NoteImage), r.Reference)})
	}
	return err
}

// addOrphan adds metadata without a runtime. object is the zero value if the metadata exists only in the cache.
func (s *Site) addOrphan(inv *Inventory, key string, object entity.Object) {
	ref, ok := lithops.ParseMetadataKey(key)
	if !ok {
		return
	}
	inv.Entries = append(inv.Entries, Entry{
		Orphan: true, Object: object, HasObject: object.Key != "",
		Registered: entity.Registered{ID: entity.ID{Name: ref.Action}, Version: ref.Version, NamedMB: ref.MemoryMB, MetadataKey: key,
			Own: ref.UserKey == "" || ref.UserKey == s.Contract.UserKey},
	})
}

// inScope reports whether a key is a metadata key of this scope.
func (s *Site) inScope(key string) bool {
	ref, ok := lithops.ParseMetadataKey(key)
	return ok && ref.Backend == s.Contract.Backend && ref.Namespace == s.Contract.Namespace && ref.Region == s.Contract.Region
}

// maxCached is the maximum number of cache entries to check.
const maxCached = 10_000

// CachedKeys lists the metadata keys of this scope in the cache of this machine. It ignores files that cannot be read,
// because the client cannot read them either.
func (s *Site) CachedKeys() []string {
	if s.Cache.Dir == "" {
		return nil
	}
	var keys []string
	seen := 0
	root := filepath.Join(s.Cache.Dir, filepath.FromSlash(lithops.RuntimesPrefix))
	_ = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || seen == maxCached {
			return fs.SkipAll
		}
		if rel, err := filepath.Rel(s.Cache.Dir, path); err == nil && d.Type().IsRegular() {
			seen++
			if key := filepath.ToSlash(rel); s.inScope(key) {
				keys = append(keys, key)
			}
		}
		return nil
	})
	return keys
}

func byName(a, b Entry) int {
	return cmp.Or(strings.Compare(a.Name(), b.Name()), a.NamedMB-b.NamedMB, strings.Compare(a.Version, b.Version),
		strings.Compare(a.ID.Group, b.ID.Group))
}

// Name returns the display name: the image or, for an orphan, the name of the missing runtime.
func (e Entry) Name() string { return cmp.Or(e.Image, e.ID.Name) }

// MetadataKeys lists the metadata of this scope for every Lithops version.
func (s *Site) MetadataKeys(ctx context.Context, objects map[string]entity.Object) error {
	if s.Store == nil {
		return nil
	}
	var mu sync.Mutex
	_, errs := parallel.Each(ctx, parallel.NewGroup(s.Jobs), s.Contract.MetadataPrefixes(), func(ctx context.Context, prefix string) (struct{}, error) {
		for object, err := range s.Store.List(ctx, prefix) {
			if err != nil {
				return struct{}{}, err
			}
			if s.inScope(object.Key) {
				mu.Lock()
				objects[object.Key] = object
				mu.Unlock()
			}
		}
		return struct{}{}, nil
	})
	return parallel.FirstError(errs)
}

// GetMetadata reads a metadata object. It returns nil without an error if the object does not exist.
func (s *Site) GetMetadata(ctx context.Context, key string) ([]byte, error) {
	data, err := s.Store.Get(ctx, key)
	if fault.Is(err, fault.NotFound) {
		return nil, nil
	}
	return data, err
}
