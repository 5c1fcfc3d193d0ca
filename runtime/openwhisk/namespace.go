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

// Namespace says which namespace a client works in.
type Namespace struct {
	entity.Scope // without an ID it is looked up, once, when something needs it
	// Fixed is for a namespace that belongs to its key: its name is what paths hold, and it can be neither made nor removed.
	Fixed bool
	// Cache stores the IDs of namespaces between commands. It may be nil.
	Cache cache
	// ResourceGroup returns the id of the group in which the namespace is made.
	ResourceGroup func(ctx context.Context) (string, error)
}

// cache stores the IDs of namespaces on this machine. The Lithops client uses the same cache.
type cache interface {
	Lookup(name string) (id string, ok bool)
	Store(p entity.Scope) error
	Remove(name string) error
}

// place is a namespace with what is known of it.
type place struct {
	Namespace

	mu    sync.Mutex
	noted bool // the id is what the memory says, which nobody has confirmed yet
}

// Scope returns the namespace; its id is "" until it is known.
func (c *Client) Scope() entity.Scope {
	c.place.mu.Lock()
	defer c.place.mu.Unlock()
	return c.place.Scope
}

// Find looks the namespace up: configuration, memory, the service. fault.NotFound when it does not exist.
func (c *Client) Find(ctx context.Context) error {
	_, err := c.namespace(ctx)
	return err
}

// namespace returns what stands for the namespace in paths.
func (c *Client) namespace(ctx context.Context) (string, error) {
	c.place.mu.Lock()
	defer c.place.mu.Unlock()
	err := c.find(ctx)
	return c.place.ID, err
}

func (c *Client) find(ctx context.Context) error {
	n := &c.place
	if n.ID != "" {
		return nil
	}
	if n.Cache != nil {
		if id, ok := n.Cache.Lookup(n.Name); ok {
			n.ID, n.noted = id, true
			return nil
		}
	}
	return c.ask(ctx)
}

// ask looks the namespace up at the service.
func (c *Client) ask(ctx context.Context) error {
	all, err := c.namespaces(ctx)
	if err != nil {
		return err
	}
	for _, ns := range all {
		if ns.Name == c.place.Name {
			c.know(ns.ID)
			return nil
		}
	}
	return fault.New(fault.NotFound, i18n.M("Namespace {{.Namespace}} does not exist.", "Namespace", c.place.Name),
		i18n.M("The first 'ibmcloud fn-runtime deploy' creates it. Specify another project with '--namespace'."))
}

// know keeps an id for this command, and for the next ones: where it cannot be kept, they only ask again.
func (c *Client) know(id string) {
	c.place.ID = id
	if c.place.Cache != nil {
		_ = c.place.Cache.Store(c.place.Scope)
	}
}

// forget ends what is known of the namespace.
func (c *Client) forget() error {
	c.place.ID = ""
	if c.place.Cache == nil {
		return nil
	}
	return c.place.Cache.Remove(c.place.Name)
}

// doubt asks the service for an id that came from memory, which may be of a namespace that is gone, and mends the memory.
// It reports whether the namespace has another id than the doubted one.
func (c *Client) doubt(ctx context.Context, id string) (another bool, err error) {
	n := &c.place
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ID != id {
		return n.ID != "", nil
	}
	if !n.noted {
		return false, nil
	}
	n.noted = false
	err = c.ask(ctx)
	switch {
	case fault.Is(err, fault.NotFound):
		return false, errors.Join(err, c.forget())
	case err != nil: // the answer that raised the doubt says more
		return false, nil
	}
	return n.ID != id, nil
}

// foreign returns the fault of a namespace that is not the key's: others can be read in part, so that they seem to be there
// and empty, and refuse what is written. It is nil where the namespace is the key's or the service does not tell.
func (c *Client) foreign(ctx context.Context) error {
	n := &c.place.Namespace
	if !n.Fixed || n.Name == "_" {
		return nil
	}
	own, err := c.namespaces(transport.With(ctx, transport.Call{Once: true}))
	if err != nil || len(own) == 0 {
		return nil //nolint:nilerr // what was asked before says more
	}
	names := make([]string, len(own))
	for i, place := range own {
		if names[i] = place.Name; place.Name == n.Name {
			return nil
		}
	}
	return fault.New(fault.Denied,
		i18n.M("The API key belongs to {{.Own}}, not to namespace {{.Namespace}}. The service rejects deployments to this namespace.", "Own", strings.Join(names, ", "), "Namespace", n.Name),
		i18n.M("Correct 'namespace' or 'api_key' in the Lithops configuration."))
}

// Make makes the namespace unless it is there.
func (c *Client) CreateNamespace(ctx context.Context) error {
	n := &c.place
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := c.find(ctx); !fault.Is(err, fault.NotFound) {
		return err
	}
	group, err := n.ResourceGroup(ctx)
	if err != nil {
		return err
	}
	made, err := c.createNamespace(ctx, n.Name, group)
	if err == nil {
		c.know(made.ID)
	}
	return err
}

// Remove removes the namespace with everything in it, and what the memory knows of it; fault.NotFound when it is not
// there.
func (c *Client) DeleteNamespace(ctx context.Context) error {
	n := &c.place
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.Fixed {
		return fault.New(fault.Invalid, i18n.M("Namespace {{.Namespace}} belongs to its API key and cannot be deleted.", "Namespace", n.Name),
			i18n.M("Omit '--all'."))
	}
	err := c.find(ctx)
	if err == nil {
		err = c.deleteNamespace(ctx, n.ID)
	}
	if err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	return errors.Join(err, c.forget())
}
