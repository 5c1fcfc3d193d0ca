package codeengine

import (
	"context"
	"slices"
	"strings"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/transport"
)

// registrySecretName is the name of the secret for pulling images. The Lithops client uses the same secret.
const registrySecretName = "lithops-regcred"

// hasCredentials reports whether the client would use credentials for the registry.
func (c *Compute) hasCredentials() bool {
	return c.o.Settings.DockerUser != "" && c.o.Settings.DockerPassword != ""
}

// RequiredResources returns the resources that must exist before a runtime is registered: the registry secret if
// credentials are configured. It does not return config maps with code. They are created with the first runtime that
// uses them because the code is not known earlier.
func (c *Compute) RequiredResources() []entity.Resource {
	if !c.hasCredentials() {
		return nil
	}
	return []entity.Resource{{Term: secretTerm, Name: registrySecretName}}
}

// HasResource reports whether a secret exists.
func (c *Compute) HasResource(ctx context.Context, t entity.Resource) (bool, error) {
	err := c.client.findSecret(ctx, t.Name)
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	return err == nil, err
}

// CreateResource creates the registry secret, or updates it with the configured credentials. It returns false after
// an update.
func (c *Compute) CreateResource(ctx context.Context, _ entity.Resource) (created bool, err error) {
	err = c.secret.do(func() error {
		created, err = c.ensureSecret(ctx)
		return err
	})
	return created, err
}

func (c *Compute) ensureSecret(ctx context.Context) (created bool, err error) {
	s := secretDoc{Name: registrySecretName, Format: "registry",
		Data: registrySecret{Server: c.o.Settings.DockerServer, Username: c.o.Settings.DockerUser, Password: c.o.Settings.DockerPassword}}
	for range conflictTries {
		if err = c.client.createSecret(ctx, s); !fault.Is(err, fault.Conflict) {
			return err == nil, err
		}
		if err = c.client.replaceSecret(ctx, s); !fault.Is(err, fault.NotFound) { // otherwise the secret was deleted in the meantime
			return false, err
		}
	}
	return false, err
}

// conflictTries is the maximum number of attempts if other clients create, change or delete the same resource
// concurrently.
const conflictTries = 6

// Leftovers returns the resources that Clean deletes: the runs of the jobs of this user and runs without a job, the
// jobs, the config maps of Lithops and of this program, and the secret. Resources of jobs with other keys are kept.
func (c *Compute) Leftovers(ctx context.Context) ([][]entity.Resource, error) {
	found, err := c.inventory(ctx)
	if fault.Is(err, fault.NotFound) && fault.Is(c.client.find(ctx), fault.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	runs, jobs, maps, secrets := []entity.Resource{}, []entity.Resource{}, []entity.Resource{}, []entity.Resource{}
	foreign := map[string]bool{} // names of the resources of other users
	for _, j := range found.jobs {
		if isOwn(c.contract(), j.Name) {
			r := c.registered(j)
			jobs = append(jobs, entity.Resource{Term: jobTerm, Name: j.Name, Image: r.Note(entity.NoteImage), MemoryMB: r.MemoryMB})
			continue
		}
		foreign[j.Name], foreign[j.ImageSecret] = true, true
		for _, m := range j.Mounts {
			foreign[m.Reference] = true
		}
	}
	for _, r := range found.runs {
		switch {
		case foreign[r.JobName]:
			foreign[r.Name] = true // includes the config map with this name
		case isOwn(c.contract(), r.JobName), isLithopsName(r.Name):
			runs = append(runs, entity.Resource{Term: runTerm, Name: r.Name})
		}
	}
	for _, m := range found.configMaps {
		if isLithopsName(m.Name) && !foreign[m.Name] {
			maps = append(maps, entity.Resource{Term: configMapTerm, Name: m.Name})
		}
	}
	if found.hasSecret && !foreign[registrySecretName] {
		secrets = append(secrets, entity.Resource{Term: secretTerm, Name: registrySecretName})
	}
	return slices.DeleteFunc([][]entity.Resource{runs, jobs, maps, secrets}, func(g []entity.Resource) bool { return len(g) == 0 }), nil
}

// isLithopsName reports whether a name has a prefix that Lithops or this program uses for runs and config maps.
func isLithopsName(name string) bool {
	return strings.HasPrefix(name, "lithops") || strings.HasPrefix(name, ownPrefix)
}

// DeleteResource deletes a resource that RequiredResources or Leftovers returned. It returns nil if the resource does
// not exist, and a fault.Conflict error for a secret that a job uses.
func (c *Compute) DeleteResource(ctx context.Context, t entity.Resource) error {
	switch t.Term.Word {
	case jobTerm.Word:
		return c.Unregister(ctx, entity.ID{Name: t.Name})
	case runTerm.Word:
		return c.removeRun(ctx, t.Name)
	case configMapTerm.Word:
		return c.removeConfigMap(ctx, t.Name)
	}
	jobs, err := c.client.jobs(ctx)
	if err != nil {
		return err
	}
	if i := slices.IndexFunc(jobs, func(j jobDoc) bool { return j.ImageSecret == t.Name }); i >= 0 {
		return fault.New(fault.Conflict, i18n.M("The secret {{.Name}} was not deleted because job {{.Job}} uses it.", "Job", jobs[i].Name, "Name", t.Name), i18n.M("Rerun the command."))
	}
	return transport.ConfirmNotFound(t.Name, c.client.deleteSecret(ctx, t.Name), func() error { return c.client.findSecret(ctx, t.Name) })
}

func (c *Compute) removeRun(ctx context.Context, name string) error {
	return transport.ConfirmNotFound(name, c.client.deleteRun(ctx, name), func() error { _, err := c.client.getRun(ctx, name); return err })
}

func (c *Compute) removeConfigMap(ctx context.Context, name string) error {
	return transport.ConfirmNotFound(name, c.client.deleteConfigMap(ctx, name), func() error { return c.client.findConfigMap(ctx, name) })
}
