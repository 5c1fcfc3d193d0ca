// Package runtimetest provides an in-memory compute service and store for tests of the operations. They implement the
// interfaces of runtime/site, and a test can make them fail.
//
// It contains the two fakes, their faults, and small test helpers. It does not contain expectations, which belong to
// the tests.
package runtimetest

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
)

// Hook is called before and after each request. If it returns an error, the request fails with it. An error after the
// request means that the server processed it but the response was lost.
type Hook func(request string, after bool) error

// Compute is a compute service with one scope. As in OpenWhisk, runtimes are in groups that must exist first.
type Compute struct {
	mu       sync.Mutex
	contract lithops.Contract
	groups   map[string]bool
	runtimes map[string]entity.Registered // by ID
	calls    []entity.Activation
	requests []string
	changes  int // number of changes of runtimes, for their revisions

	Hook Hook
	// Run returns the activation of a metadata call. If it is nil, calls return the metadata of Python 3.11 and Lithops
	// 3.7.0.
	Run func(r entity.Registered) entity.Activation
	// Missing is set if the scope does not exist.
	Missing bool
	// GroupConflict makes every creation of a group respond as if the group existed.
	GroupConflict bool
	// Allowed holds the limits that the installation reports. It is nil if the installation reports none.
	Allowed *lithops.Limits
	// NoDigests makes Register drop the fixed tag of an image.
	NoDigests bool
	// CallDuration is the duration of a call.
	CallDuration time.Duration
	// Now returns the time of changes.
	Now func() time.Time
}

// NewCompute returns an empty service for one client.
func NewCompute(c lithops.Contract) *Compute {
	return &Compute{contract: c, groups: map[string]bool{}, runtimes: map[string]entity.Registered{}, Now: time.Now}
}

// Requests returns the requests so far in the order of their arrival.
func (c *Compute) Requests() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.requests)
}

// ResetRequests clears the record of requests.
func (c *Compute) ResetRequests() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requests = nil
}

// Put adds a runtime, and its group, without a request.
func (c *Compute) Put(r entity.Registered) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.groups[r.ID.Group] = true
	c.runtimes[r.ID.String()] = r
}

// Remove deletes a runtime, and its group if it is empty, without a request.
func (c *Compute) Remove(id entity.ID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.runtimes, id.String())
	if !c.inUse(id.Group) {
		delete(c.groups, id.Group)
	}
}

// All returns the existing runtimes by ID.
func (c *Compute) All() map[string]entity.Registered {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.runtimes)
}

// Groups returns the existing groups.
func (c *Compute) Groups() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Sorted(maps.Keys(c.groups))
}

func (c *Compute) inUse(group string) bool {
	for _, r := range c.runtimes {
		if r.ID.Group == group {
			return true
		}
	}
	return false
}

// do records a request and does the work between the two calls of the hook.
func (c *Compute) do(ctx context.Context, request string, work func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c.mu.Lock()
	c.requests = append(c.requests, request)
	c.mu.Unlock()
	return withHook(c.Hook, request, func() error {
		c.mu.Lock()
		defer c.mu.Unlock()
		return work()
	})
}

// withHook does the work of a request between the two calls of the hook.
func withHook(hook Hook, request string, work func() error) error {
	if hook != nil {
		if err := hook(request, false); err != nil {
			return err
		}
	}
	if err := work(); err != nil {
		return err
	}
	if hook != nil {
		return hook(request, true)
	}
	return nil
}

// NotFound returns the error for an object that does not exist.
func NotFound(name string) error { return notFound(name) }

func notFound(name string) error {
	return fault.New(fault.NotFound, i18n.M("{{.Name}} does not exist.", "Name", name), i18n.Message{})
}

// Terms implements site.Compute with the terms of OpenWhisk.
func (c *Compute) Terms() entity.Terms {
	return entity.Terms{Scope: entity.Term{Word: "namespace", Text: i18n.M("Namespace")}, Runtime: entity.Term{Word: "action", Text: i18n.M("Runtime")}}
}

// Limits implements site.Compute.
func (c *Compute) Limits() lithops.Limits { return lithops.LimitsOf(c.contract.Backend) }

// ReadLimits implements site.Compute. It is not recorded as a request.
func (c *Compute) ReadLimits(context.Context) (lithops.Limits, error) {
	if c.Allowed == nil {
		return c.Limits(), nil
	}
	return *c.Allowed, nil
}

// Scope implements site.Scope.
func (c *Compute) Scope() entity.Scope {
	return entity.Scope{ID: c.contract.Namespace, Name: c.contract.Namespace}
}

// Namespace implements site.Scope.
func (c *Compute) Namespace() string { return c.contract.Namespace }

// DeleteUnused implements site.Resources. It is not recorded as a request.
func (c *Compute) DeleteUnused(ctx context.Context) error {
	return withHook(c.Hook, "CLEANUP", ctx.Err)
}

// Scopes implements site.Scope.
func (c *Compute) Scopes(ctx context.Context) (all []entity.Scope, err error) {
	err = c.do(ctx, "LIST scopes", func() error {
		if !c.Missing {
			all = []entity.Scope{c.Scope()}
		}
		return nil
	})
	return all, err
}

// FindScope implements site.Scope. It is not recorded as a request.
func (c *Compute) FindScope(context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.Missing {
		return notFound("The namespace")
	}
	return nil
}

// CreateScope implements site.Scope.
func (c *Compute) CreateScope(ctx context.Context) error {
	return c.do(ctx, "POST scope", func() error { c.Missing = false; return nil })
}

// DeleteScope implements site.Scope.
func (c *Compute) DeleteScope(ctx context.Context) error {
	return c.do(ctx, "DELETE scope", func() error {
		c.Missing, c.groups, c.runtimes = true, map[string]bool{}, map[string]entity.Registered{}
		return nil
	})
}

// pageSize is the number of runtimes that one request lists.
const pageSize = 200

// Runtimes implements site.Registry with one request per page.
func (c *Compute) Runtimes(ctx context.Context) (l entity.Listing, err error) {
	for last := false; !last; {
		err := c.do(ctx, fmt.Sprintf("LIST runtimes skip=%d", len(l.Runtimes)), func() error {
			var all []entity.Registered
			for _, key := range slices.Sorted(maps.Keys(c.runtimes)) {
				if r := c.read(c.runtimes[key]); r.NamedMB > 0 {
					if r.Note(entity.NoteImage) != "" {
						r.Reference = "" // lists omit the reference if the notes contain the image
					}
					all = append(all, r)
				}
			}
			page := all[min(len(l.Runtimes), len(all)):]
			page = page[:min(pageSize, len(page))]
			l.Runtimes, last = append(l.Runtimes, page...), len(page) < pageSize
			return nil
		})
		if err != nil {
			return entity.Listing{}, err
		}
	}
	for _, name := range c.Groups() {
		l.Resources = append(l.Resources, groupResource(name))
	}
	return l, nil
}

// read sets the fields that are derived from the names of a runtime.
func (c *Compute) read(r entity.Registered) entity.Registered {
	contract := c.contract
	if contract.SharesMetadata() {
		r.Version, r.NamedMB, r.Own = contract.Version, r.MemoryMB, true
		_, r.MetadataKey = contract.Runtime(cmp.Or(r.Note(entity.NoteImage), r.Reference), r.NamedMB)
		return r
	}
	r.NamedMB, contract.Version, _ = lithops.ParseAction(r.ID.Group, r.ID.Name)
	r.Version, r.MetadataKey = contract.Version, contract.MetadataKey(r.ID.Name)
	key, _ := lithops.PackageUserKey(r.ID.Group)
	r.Own = key == c.contract.UserKey
	return r
}

// Runtime implements site.Registry.
func (c *Compute) Runtime(ctx context.Context, id entity.ID) (r entity.Registered, err error) {
	err = c.do(ctx, "GET runtime "+id.Name, func() error {
		var exists bool
		if r, exists = c.runtimes[id.String()]; !exists {
			return notFound(id.Name)
		}
		r = c.read(r)
		return nil
	})
	return r, err
}

// Register implements site.Registry.
func (c *Compute) Register(ctx context.Context, r entity.Registered, _ lithops.Bundle) (entity.Registered, error) {
	err := c.do(ctx, "PUT runtime "+r.ID.Name, func() error {
		if c.GroupConflict && !c.groups[r.ID.Group] {
			return notFound(r.ID.Group)
		}
		notes := maps.Clone(c.runtimes[r.ID.String()].Notes) // keep the notes of other tools
		for _, own := range entity.OwnNotes() {
			delete(notes, own)
		}
		if notes == nil {
			notes = map[string]any{}
		}
		maps.Copy(notes, r.Notes)
		c.changes++
		r.Notes, r.Revision, r.UpdatedAt = notes, fmt.Sprint(c.changes), c.Now()
		notes[entity.NoteRevision] = r.Revision
		if c.NoDigests {
			r.Reference, _, _ = strings.Cut(r.Reference, ":sha-")
		}
		c.groups[r.ID.Group] = true
		c.runtimes[r.ID.String()] = r
		return nil
	})
	return r, err
}

// Replace registers other code for a runtime without a request, as the client does. Notes are kept.
func (c *Compute) Replace(id entity.ID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changes++
	r := c.runtimes[id.String()]
	r.Revision, r.UpdatedAt = fmt.Sprint(c.changes), c.Now()
	c.runtimes[id.String()] = r
}

// Unregister implements site.Registry.
func (c *Compute) Unregister(ctx context.Context, id entity.ID) error {
	return c.do(ctx, "DELETE runtime "+id.Name, func() error { delete(c.runtimes, id.String()); return nil })
}
