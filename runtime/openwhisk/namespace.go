package openwhisk

import (
	"context"
	"errors"
	"strings"
	"sync"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/transport"
)

// Namespace defines the namespace of a client.
type Namespace struct {
	entity.Scope // if the ID is empty, it is looked up when it is first needed
	// Fixed is set for a namespace that belongs to an API key. Paths contain its name, and it can be neither created
	// nor deleted.
	Fixed bool
	// Cache stores the IDs of namespaces between commands. It may be nil.
	Cache cache
	// ResourceGroup returns the ID of the resource group in which the namespace is created.
	ResourceGroup func(ctx context.Context) (string, error)
}

// cache stores the IDs of namespaces on this machine. The Lithops client uses the same cache.
type cache interface {
	Lookup(name string) (id string, ok bool)
	Store(p entity.Scope) error
	Remove(name string) error
}

// namespaceState is a namespace with its lookup state.
type namespaceState struct {
	Namespace

	mu        sync.Mutex
	fromCache bool // the ID is from the cache and has not been confirmed by the service
}

// Scope returns the namespace. Its ID is empty until it has been looked up.
func (c *Client) Scope() entity.Scope {
	c.state.mu.Lock()
	defer c.state.mu.Unlock()
	return c.state.Scope
}

// Find looks up the namespace in the configuration, the cache and the service, in this order. It returns a
// fault.NotFound error if the namespace does not exist.
func (c *Client) Find(ctx context.Context) error {
	_, err := c.namespace(ctx)
	return err
}

// namespace returns the ID of the namespace for request paths.
func (c *Client) namespace(ctx context.Context) (string, error) {
	c.state.mu.Lock()
	defer c.state.mu.Unlock()
	err := c.find(ctx)
	return c.state.ID, err
}

// find sets the ID of the namespace if it is empty.
func (c *Client) find(ctx context.Context) error {
	n := &c.state
	if n.ID != "" {
		return nil
	}
	if n.Cache != nil {
		if id, ok := n.Cache.Lookup(n.Name); ok {
			n.ID, n.fromCache = id, true
			return nil
		}
	}
	return c.lookUp(ctx)
}

// lookUp requests the ID of the namespace from the service.
func (c *Client) lookUp(ctx context.Context) error {
	all, err := c.namespaces(ctx)
	if err != nil {
		return err
	}
	for _, ns := range all {
		if ns.Name == c.state.Name {
			c.setID(ns.ID)
			return nil
		}
	}
	return fault.New(fault.NotFound, i18n.M("Namespace {{.Namespace}} does not exist.", "Namespace", c.state.Name),
		i18n.M("The first 'ibmcloud fn-runtime deploy' creates it. Specify another namespace with '--namespace'."))
}

// setID sets the ID and stores it in the cache. Errors of the cache are ignored: later commands look up the ID again.
func (c *Client) setID(id string) {
	c.state.ID = id
	if c.state.Cache != nil {
		_ = c.state.Cache.Store(c.state.Scope)
	}
}

// clearID clears the ID and removes it from the cache.
func (c *Client) clearID() error {
	c.state.ID = ""
	if c.state.Cache == nil {
		return nil
	}
	return c.state.Cache.Remove(c.state.Name)
}

// recheckID looks up the namespace again if its ID is from the cache and has not been confirmed, and corrects the
// cache. It reports whether the namespace has an ID other than id.
func (c *Client) recheckID(ctx context.Context, id string) (changed bool, err error) {
	n := &c.state
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ID != id {
		return n.ID != "", nil
	}
	if !n.fromCache {
		return false, nil
	}
	n.fromCache = false
	err = c.lookUp(ctx)
	switch {
	case fault.Is(err, fault.NotFound):
		return false, errors.Join(err, c.clearID())
	case err != nil: // the error of the original request is more precise
		return false, nil
	}
	return n.ID != id, nil
}

// checkKeyOwner returns an error if the API key belongs to another namespace. Other namespaces are partly readable,
// so they appear to exist and to be empty, but reject writes. It returns nil if the namespace belongs to the key or
// the service does not report its owner.
func (c *Client) checkKeyOwner(ctx context.Context) error {
	n := &c.state.Namespace
	if !n.Fixed || n.Name == "_" {
		return nil
	}
	owned, err := c.namespaces(transport.With(ctx, transport.Call{NoRetry: true}))
	if err != nil || len(owned) == 0 {
		return nil //nolint:nilerr // the result of the original request is more precise
	}
	names := make([]string, len(owned))
	for i, ns := range owned {
		if names[i] = ns.Name; ns.Name == n.Name {
			return nil
		}
	}
	return fault.New(fault.Denied,
		i18n.M("The API key belongs to {{.Own}}, not to namespace {{.Namespace}}. The service rejects deployments to this namespace.", "Own", strings.Join(names, ", "), "Namespace", n.Name),
		i18n.M("Correct 'namespace' or 'api_key' in the Lithops configuration."))
}

// ensureNamespace creates the namespace if it does not exist.
func (c *Client) ensureNamespace(ctx context.Context) error {
	n := &c.state
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := c.find(ctx); !fault.Is(err, fault.NotFound) {
		return err
	}
	group, err := n.ResourceGroup(ctx)
	if err != nil {
		return err
	}
	created, err := c.createNamespace(ctx, n.Name, group)
	if err == nil {
		c.setID(created.ID)
	}
	return err
}

// deleteCurrentNamespace deletes the namespace with all its content and its cache entry. It returns a fault.NotFound
// error if the namespace does not exist.
func (c *Client) deleteCurrentNamespace(ctx context.Context) error {
	n := &c.state
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.Fixed {
		return fault.New(fault.Invalid, i18n.M("Namespace {{.Namespace}} is tied to its API key and cannot be deleted.", "Namespace", n.Name),
			i18n.M("Omit '--all'."))
	}
	err := c.find(ctx)
	if err == nil {
		err = c.deleteNamespace(ctx, n.ID)
	}
	if err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	return errors.Join(err, c.clearID())
}
