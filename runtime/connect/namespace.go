package connect

import (
	"context"
	"errors"
	"sync"

	"fn-runtime/i18n"
	"fn-runtime/runtime"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/transport"
)

// namespace makes the reference to the namespace of the target. On OpenWhisk, and with a Cloud Foundry key, paths hold
// its name; with a token they hold its id, which has to be found.
func (p *opening) namespace(auth transport.Auth) (*space, error) {
	name := p.compute.Namespace
	if name == "" && p.compute.Backend == lithops.IBMCF {
		name = lithops.DefaultNamespace(p.s.Install.Version, p.compute.Region, p.s.Contract.UserKey)
	}
	if name == "" {
		err := p.compute.Validate(p.s.Install.Version)
		if err == nil || p.compute.Backend == lithops.IBMCF {
			err = fault.New(fault.Invalid, i18n.M("The namespace is not known."),
				i18n.M("Give it with '--namespace', or set 'namespace' in section '{{.Section}}' of the Lithops configuration.", "Section", p.compute.Backend))
		}
		return nil, err
	}
	p.s.Contract.Namespace, p.s.Target.Namespace = name, name
	sp := &space{backend: p.compute.Backend, name: name, cache: p.s.Cache, resourceGroup: p.resourceGroup, target: &p.s.Target}
	switch {
	case p.compute.Backend == lithops.OpenWhisk || auth.Basic != "":
		sp.found, sp.fixed = entity.Namespace{ID: name, Name: name}, true
	case p.compute.NamespaceID != "":
		sp.found = entity.Namespace{ID: p.compute.NamespaceID, Name: name}
	}
	p.s.Target.NamespaceID = sp.found.ID
	return sp, nil
}

// resourceGroup gives the id of the group in which a namespace is made: the flag, the Lithops configuration, the one
// that is targeted.
func (p *opening) resourceGroup(ctx context.Context) (string, error) {
	s := p.o.Host.Session
	if g := p.o.ResourceGroup; g != "" {
		if s == nil || s.ResourceGroup == nil {
			return g, nil
		}
		return s.ResourceGroup(ctx, g)
	}
	if g := p.compute.ResourceGroupID; g != "" {
		return g, nil
	}
	if s != nil && s.ResourceGroupID != "" {
		return s.ResourceGroupID, nil
	}
	return "", fault.New(fault.Invalid, i18n.M("The namespace has to be made, and no resource group for it is known."),
		i18n.M("Target one with 'ibmcloud target -g GROUP', or give it with '--resource-group'."))
}

// space is the runtime.NamespaceRef of a namespace. Its id is looked up once, when something needs it.
type space struct {
	backend       lithops.Backend
	name          string
	cache         lithops.Cache
	resourceGroup func(context.Context) (string, error)
	service       runtime.Namespaces
	target        *runtime.Target
	fixed         bool // found is what paths hold, and the namespace can be neither made nor removed

	mu    sync.Mutex
	found entity.Namespace
	noted bool // found is what the client's cache file says, which nobody has confirmed yet
}

// id gives what stands for the namespace in paths.
func (n *space) id(ctx context.Context) (string, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	err := n.find(ctx)
	return n.found.ID, err
}

// Find implements runtime.NamespaceRef: configuration, the client's cache file, the service.
func (n *space) Find(ctx context.Context) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.find(ctx)
}

func (n *space) find(ctx context.Context) error {
	if n.found.ID != "" {
		return nil
	}
	if ns, err := n.cache.ReadNamespace(n.backend, n.name); err == nil {
		n.know(ns)
		n.noted = true
		return nil
	}
	return n.ask(ctx)
}

// ask looks the namespace up at the service.
func (n *space) ask(ctx context.Context) error {
	all, err := n.service.Namespaces(ctx)
	if err != nil {
		return err
	}
	for _, ns := range all {
		if ns.Name == n.name {
			n.know(ns)
			n.remember()
			return nil
		}
	}
	return fault.New(fault.NotFound, i18n.M("Namespace {{.Namespace}} does not exist.", "Namespace", n.name),
		i18n.M("The first 'ibmcloud fn-runtime deploy' makes it; give another one with '--namespace'."))
}

// doubt asks the service for an id that came from the client's cache file, which may be of a namespace that is gone, and
// mends the file. It tells whether the namespace has another id than the doubted one.
func (n *space) doubt(ctx context.Context, id string) (another bool, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.found.ID != id {
		return n.found.ID != "", nil
	}
	if !n.noted {
		return false, nil
	}
	n.noted = false
	err = n.ask(ctx)
	switch {
	case fault.Is(err, fault.NotFound):
		n.know(entity.Namespace{})
		return false, errors.Join(err, n.cache.RemoveNamespace(n.backend, n.name))
	case err != nil: // the answer that raised the doubt says more
		return false, nil
	}
	return n.found.ID != id, nil
}

// know keeps what was found; the caller holds the lock.
func (n *space) know(ns entity.Namespace) { n.found, n.target.NamespaceID = ns, ns.ID }

// remember notes the id for the client. A cache that cannot be written only costs a request the next time.
func (n *space) remember() { _ = n.cache.WriteNamespace(n.backend, n.found) }

// Create implements runtime.NamespaceRef.
func (n *space) Create(ctx context.Context) (created bool, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.find(ctx); !fault.Is(err, fault.NotFound) {
		return false, err
	}
	group, err := n.resourceGroup(ctx)
	if err != nil {
		return false, err
	}
	ns, err := n.service.CreateNamespace(ctx, n.name, group)
	if err != nil {
		return false, err
	}
	n.know(ns)
	n.remember()
	return true, nil
}

// Delete implements runtime.NamespaceRef.
func (n *space) Delete(ctx context.Context) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.fixed {
		return fault.New(fault.Invalid, i18n.M("Namespace {{.Namespace}} belongs to its key and cannot be removed.", "Namespace", n.name),
			i18n.M("Leave out '--all'."))
	}
	err := n.find(ctx)
	if err == nil {
		err = n.service.DeleteNamespace(ctx, n.found.ID)
	}
	if err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	n.found = entity.Namespace{}
	return errors.Join(err, n.cache.RemoveNamespace(n.backend, n.name))
}
