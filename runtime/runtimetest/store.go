package runtimetest

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"fn-runtime/runtime/entity"
)

// Store is an in-memory bucket.
type Store struct {
	mu       sync.Mutex
	missing  bool
	objects  map[string]object
	requests []string

	Hook Hook
	Now  func() time.Time
}

type object struct {
	data []byte
	at   time.Time
}

// NewStore returns an empty bucket.
func NewStore() *Store { return &Store{objects: map[string]object{}, Now: time.Now} }

// RemoveBucket deletes the bucket without a request.
func (s *Store) RemoveBucket() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.missing, s.objects = true, map[string]object{}
}

// Set writes an object without a request.
func (s *Store) Set(key string, data []byte, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.objects[key] = object{data, at}
}

// Keys returns the existing keys, sorted.
func (s *Store) Keys() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.objects))
}

// Requests returns the requests so far.
func (s *Store) Requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// ResetRequests clears the record of requests.
func (s *Store) ResetRequests() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = nil
}

func (s *Store) do(ctx context.Context, request string, work func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	s.requests = append(s.requests, request)
	s.mu.Unlock()
	return withHook(s.Hook, request, func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		return work()
	})
}

// BucketExists implements site.Store.
func (s *Store) BucketExists(ctx context.Context) (exists bool, err error) {
	err = s.do(ctx, "HEAD bucket", func() error { exists = !s.missing; return nil })
	return exists, err
}

// CreateBucket implements site.Store.
func (s *Store) CreateBucket(ctx context.Context) error {
	return s.do(ctx, "PUT bucket", func() error { s.missing = false; return nil })
}

// Get implements site.Store.
func (s *Store) Get(ctx context.Context, key string) (data []byte, err error) {
	err = s.do(ctx, "GET object "+key, func() error {
		o, exists := s.objects[key]
		if !exists {
			return notFound(key)
		}
		data = slices.Clone(o.data)
		return nil
	})
	return data, err
}

// Put implements site.Store.
func (s *Store) Put(ctx context.Context, key string, data []byte) error {
	return s.do(ctx, "PUT object "+key, func() error {
		if s.missing {
			return notFound("bucket")
		}
		s.objects[key] = object{slices.Clone(data), s.Now()}
		return nil
	})
}

// Delete implements site.Store.
func (s *Store) Delete(ctx context.Context, key string) error {
	return s.do(ctx, "DELETE object "+key, func() error { delete(s.objects, key); return nil })
}

// List implements site.Store with one request per 1000 objects.
func (s *Store) List(ctx context.Context, prefix string) iter.Seq2[entity.Object, error] {
	return func(yield func(entity.Object, error) bool) {
		var found []entity.Object
		for page := 0; page == 0 || page*1000 < len(found); page++ {
			err := s.do(ctx, fmt.Sprintf("LIST objects %s page=%d", prefix, page), func() error {
				if page > 0 {
					return nil
				}
				for _, key := range slices.Sorted(maps.Keys(s.objects)) {
					if o := s.objects[key]; strings.HasPrefix(key, prefix) {
						found = append(found, entity.Object{Key: key, Size: int64(len(o.data)), UpdatedAt: o.at})
					}
				}
				return nil
			})
			if err != nil {
				yield(entity.Object{}, err)
				return
			}
			for _, o := range found[page*1000 : min((page+1)*1000, len(found))] {
				if !yield(o, nil) {
					return
				}
			}
		}
	}
}

// Purge implements site.Store.
func (s *Store) Purge(ctx context.Context, sweep entity.Sweep) (purged entity.Purged, err error) {
	err = s.do(ctx, fmt.Sprintf("PURGE %v", sweep.Prefixes), func() error {
		for key, o := range s.objects {
			inside := slices.ContainsFunc(sweep.Prefixes, func(p string) bool { return strings.HasPrefix(key, p) })
			if !inside || !sweep.OlderThan.IsZero() && !o.at.Before(sweep.OlderThan) {
				continue
			}
			purged.Seen++
			if !sweep.DryRun {
				delete(s.objects, key)
				purged.Deleted++
			}
		}
		return nil
	})
	return purged, err
}
