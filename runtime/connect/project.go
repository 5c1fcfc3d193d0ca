package connect

import (
	"cmp"
	"context"

	"fn-runtime/i18n"
	"fn-runtime/runtime/codeengine"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/transport"
)

// openProject creates the compute client for Code Engine. It looks up the project because metadata keys contain an ID
// that only the service provides reliably. A missing project is not an error.
func (p *opening) openProject(ctx context.Context, auth transport.Auth, hint i18n.Message, key string) error {
	name := cmp.Or(p.compute.Project, lithops.DefaultNamespace(p.install.Version, p.compute.Region, key))
	p.target.Namespace = name
	cached, _ := p.cache.ReadProject(name)
	namespace := func(id string) string { return lithops.ProjectNamespace(p.compute, cached, id) }
	project := codeengine.Project{Scope: entity.Scope{Name: name, ID: p.compute.ProjectID}, ResourceGroup: p.resourceGroup,
		Cache: projectCache{p.cache, namespace}}
	if o := p.o.Host.Observer; o != nil {
		project.Begin = o.Begin
	}
	client := codeengine.New(codeengine.Options{
		Endpoint: p.target.Endpoint, Project: project, Transport: p.certificates.record("session", p.transport(p.target.Endpoint, auth, false)), LoginHint: hint,
	})
	storage, version := p.storage, p.install.Version
	storage.Bucket = p.target.Bucket
	port := codeengine.NewCompute(client, codeengine.ComputeOptions{
		Contract: p.contract, Settings: p.compute, Limits: lithops.LimitsOf(lithops.CodeEngine), Namespace: namespace, Bucket: p.store,
		Payload: func(name string) (string, error) { return lithops.JobPayload(storage, name, version) },
	})
	err := port.FindScope(ctx)
	p.contract.Namespace, p.computeService = port.Namespace(), port
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return fault.During(i18n.M("Looking up project {{.Project}}", "Project", name), err)
}

// projectCache gives access to the project IDs that the Lithops client caches, and to the namespaces that the client
// uses for them in metadata keys.
type projectCache struct {
	cache     lithops.Cache
	namespace func(id string) string
}

// Lookup implements codeengine.Cache.
func (m projectCache) Lookup(name string) (id string, ok bool) {
	cachedProject, err := m.cache.ReadProject(name)
	return cachedProject.ID, err == nil && cachedProject.ID != ""
}

// Store implements codeengine.Cache.
func (m projectCache) Store(name, id string) error {
	if cachedID, ok := m.Lookup(name); ok && cachedID == id {
		return nil
	}
	return m.cache.WriteProject(lithops.Project{Name: name, ID: id, Namespace: m.namespace(id)})
}

// Remove implements codeengine.Cache.
func (m projectCache) Remove(name string) error {
	return m.cache.RemoveNamespace(lithops.CodeEngine, name)
}
