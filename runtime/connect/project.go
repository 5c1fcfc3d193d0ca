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

// openProject makes the compute side on Code Engine. Keys of metadata hold an id that only the service knows for certain,
// so the project is looked for at once; that it does not exist yet is no error.
func (p *opening) openProject(ctx context.Context, auth transport.Auth, hint i18n.Message, key string) error {
	name := cmp.Or(p.compute.Project, lithops.DefaultNamespace(p.install.Version, p.compute.Region, key))
	p.target.Namespace = name
	cached, _ := p.cache.ReadProject(name)
	namespace := func(id string) string { return lithops.ProjectNamespace(p.compute, cached, id) }
	project := codeengine.Project{Scope: entity.Scope{Name: name, ID: p.compute.ProjectID}, ResourceGroup: p.resourceGroup,
		Memory: projects{p.cache, namespace}}
	if o := p.o.Host.Observer; o != nil {
		project.Begin = o.Begin
	}
	client := codeengine.New(codeengine.Options{
		Endpoint: p.target.Endpoint, Project: project, Transport: p.certificates.watch("session", p.transport(p.target.Endpoint, auth, false)), LoginHint: hint,
	})
	storage, version := p.storage, p.install.Version
	storage.Bucket = p.target.Bucket
	port := codeengine.NewCompute(client, codeengine.ComputeOptions{
		Contract: p.contract, Settings: p.compute, Limits: lithops.LimitsOf(lithops.CodeEngine), Namespace: namespace, Bucket: p.store,
		Payload: func(name string) (string, error) { return lithops.JobPayload(storage, name, version) },
	})
	err := port.FindScope(ctx)
	p.contract.Namespace, p.port = port.Namespace(), port
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return fault.During(i18n.M("Looking up project {{.Project}}", "Project", name), err)
}

// projects is the client's cache of the ids of projects, and of what it puts into its keys for them.
type projects struct {
	cache     lithops.Cache
	namespace func(id string) string
}

// Recall implements codeengine.Memory.
func (m projects) Recall(name string) (id string, ok bool) {
	known, err := m.cache.ReadProject(name)
	return known.ID, err == nil && known.ID != ""
}

// Remember implements codeengine.Memory.
func (m projects) Remember(name, id string) error {
	if known, ok := m.Recall(name); ok && known == id {
		return nil
	}
	return m.cache.WriteProject(lithops.Project{Name: name, ID: id, Namespace: m.namespace(id)})
}

// Forget implements codeengine.Memory.
func (m projects) Forget(name string) error { return m.cache.RemoveNamespace(lithops.CodeEngine, name) }
