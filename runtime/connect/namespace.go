package connect

import (
	"context"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/openwhisk"
	"fn-runtime/runtime/transport"
)

// namespace returns the target namespace. On OpenWhisk and with a Cloud Foundry key, request paths contain its name.
// With a token they contain its ID, which is looked up later.
func (p *opening) namespace(auth transport.Auth) (openwhisk.Namespace, error) {
	name := p.compute.Namespace
	if name == "" && p.compute.Backend == lithops.IBMCF {
		name = lithops.DefaultNamespace(p.install.Version, p.compute.Region, p.contract.UserKey)
	}
	if name == "" {
		err := p.compute.Validate(p.install.Version)
		if err == nil || p.compute.Backend == lithops.IBMCF {
			err = fault.New(fault.Invalid, i18n.M("No namespace is specified."),
				i18n.M("Specify it with '--namespace', or set 'namespace' in section '{{.Section}}' of the Lithops configuration.", "Section", p.compute.Backend))
		}
		return openwhisk.Namespace{}, err
	}
	p.contract.Namespace, p.target.Namespace = name, name
	ns := openwhisk.Namespace{Scope: entity.Scope{Name: name, ID: p.compute.NamespaceID}, Cache: namespaceCache{p.cache, p.compute.Backend}, ResourceGroup: p.resourceGroup}
	if p.compute.Backend == lithops.OpenWhisk || auth.Basic != "" {
		ns.ID, ns.Fixed = name, true
	}
	return ns, nil
}

// resourceGroup returns the ID of the resource group in which a namespace is created: the group of the flag,
// otherwise of the Lithops configuration, otherwise the targeted group.
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
	return "", fault.New(fault.Invalid, i18n.M("No resource group is specified for the new namespace or project."),
		i18n.M("Target a resource group with 'ibmcloud target -g GROUP', or pass '--resource-group'."))
}

// namespaceCache gives access to the namespace IDs that the Lithops client caches. The client and this program reuse
// the IDs that the other one has looked up.
type namespaceCache struct {
	cache   lithops.Cache
	backend lithops.Backend
}

// Lookup implements the cache of openwhisk.Namespace.
func (m namespaceCache) Lookup(name string) (id string, ok bool) {
	ns, err := m.cache.ReadNamespace(m.backend, name)
	return ns.ID, err == nil
}

// Store implements the cache of openwhisk.Namespace.
func (m namespaceCache) Store(p entity.Scope) error { return m.cache.WriteNamespace(m.backend, p) }

// Remove implements the cache of openwhisk.Namespace.
func (m namespaceCache) Remove(name string) error { return m.cache.RemoveNamespace(m.backend, name) }
