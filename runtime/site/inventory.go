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

// Entry is one deployed runtime, or metadata that has lost its runtime.
type Entry struct {
	entity.Registered        // of an orphan only what the key of its metadata tells
	Orphan            bool   // there is no such runtime
	Image             string // as the client names it; "" for an orphan, because names do not tell it for certain
	Object            entity.Object
	HasObject         bool
	Stored            *Metadata // the object; without a Python where it cannot be read; nil where nobody has read it
}

// Python returns the Python of a runtime, by its metadata or its notes; "" when neither tells.
func (e Entry) Python() string {
	if e.Stored != nil && e.Stored.PythonVersion != "" {
		return e.Stored.PythonVersion
	}
	return e.Note(entity.NotePython)
}

// Inventory is what the place and the bucket hold of Lithops.
type Inventory struct {
	Resources []entity.Resource // that were seen on the way
	Entries   []Entry
}

// Inventory reads the runtimes and the metadata keys side by side, page after page.
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
	// Metadata whose runtime is not there under any key: another key's runtime is not an orphan.
	for key, object := range objects {
		if !known[key] {
			s.addOrphan(inv, key, object)
			known[key] = true
		}
	}
	// And what only this machine's cache still holds: the client reads it before the bucket.
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

// addOrphan adds metadata without its runtime; the zero object where the bucket has none.
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

// inScope reports whether a key is that of metadata in the service's place.
func (s *Site) inScope(key string) bool {
	ref, ok := lithops.ParseMetadataKey(key)
	return ok && ref.Backend == s.Contract.Backend && ref.Namespace == s.Contract.Namespace && ref.Region == s.Contract.Region
}

// maxCached bounds how many copies of metadata are looked at.
const maxCached = 10_000

// CachedKeys lists the metadata of this place in this machine's cache. What cannot be read is not there for the client
// either.
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

// Name is what people read: the image or, for an orphan, the name of the runtime that is gone.
func (e Entry) Name() string { return cmp.Or(e.Image, e.ID.Name) }

// MetadataKeys lists the metadata of this place, of every Lithops version.
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

// GetMetadata reads a metadata object; nil without an error when it is not there.
func (s *Site) GetMetadata(ctx context.Context, key string) ([]byte, error) {
	data, err := s.Store.Get(ctx, key)
	if fault.Is(err, fault.NotFound) {
		return nil, nil
	}
	return data, err
}
