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

// registrySecretName is the secret with which images are pulled: the client's own name for it.
const registrySecretName = "lithops-regcred"

// credentials reports whether there are any for the registry, as the client judges it.
func (c *Compute) credentials() bool {
	return c.o.Settings.DockerUser != "" && c.o.Settings.DockerPassword != ""
}

// Needs returns what has to be in the project before a runtime is: the secret of the registry, where there are credentials.
// The code is made with the first runtime that has it: before that nobody knows what it is.
func (c *Compute) RequiredResources() []entity.Resource {
	if !c.credentials() {
		return nil
	}
	return []entity.Resource{{Term: secretTerm, Name: registrySecretName}}
}

// Has reports whether a secret is there.
func (c *Compute) HasResource(ctx context.Context, t entity.Resource) (bool, error) {
	err := c.client.hasSecret(ctx, t.Name)
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	return err == nil, err
}

// Make makes the secret of the registry, or gives it the credentials that are configured now; made is false then.
func (c *Compute) CreateResource(ctx context.Context, _ entity.Resource) (made bool, err error) {
	err = c.secret.do(func() error {
		made, err = c.makeSecret(ctx)
		return err
	})
	return made, err
}

func (c *Compute) makeSecret(ctx context.Context) (made bool, err error) {
	s := secretDoc{Name: registrySecretName, Format: "registry",
		Data: registrySecret{Server: c.o.Settings.DockerServer, Username: c.o.Settings.DockerUser, Password: c.o.Settings.DockerPassword}}
	for range conflictTries {
		if err = c.client.createSecret(ctx, s); !fault.Is(err, fault.Conflict) {
			return err == nil, err
		}
		if err = c.client.replaceSecret(ctx, s); !fault.Is(err, fault.NotFound) { // removed in between
			return false, err
		}
	}
	return false, err
}

// conflictTries is how often something is tried that somebody else makes, changes or removes at the same time.
const conflictTries = 6

// Leftovers returns what Clean removes: the runs of this user's jobs and those that have lost their job, the jobs, the
// config maps of Lithops' and of ours, and the secret. What belongs to a job of another key stays.
func (c *Compute) Leftovers(ctx context.Context) ([][]entity.Resource, error) {
	found, err := c.survey(ctx)
	if fault.Is(err, fault.NotFound) && fault.Is(c.client.find(ctx), fault.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	runs, jobs, maps, secrets := []entity.Resource{}, []entity.Resource{}, []entity.Resource{}, []entity.Resource{}
	foreign := map[string]bool{} // names of what belongs to others
	for _, j := range found.jobs {
		if mine(c.contract(), j.Name) {
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
			foreign[r.Name] = true // and so is the config map of that name
		case mine(c.contract(), r.JobName), lithopsMade(r.Name):
			runs = append(runs, entity.Resource{Term: runTerm, Name: r.Name})
		}
	}
	for _, m := range found.maps {
		if lithopsMade(m.Name) && !foreign[m.Name] {
			maps = append(maps, entity.Resource{Term: configMapTerm, Name: m.Name})
		}
	}
	if found.secret && !foreign[registrySecretName] {
		secrets = append(secrets, entity.Resource{Term: secretTerm, Name: registrySecretName})
	}
	return slices.DeleteFunc([][]entity.Resource{runs, jobs, maps, secrets}, func(g []entity.Resource) bool { return len(g) == 0 }), nil
}

// lithopsMade reports whether a name is one that Lithops or we give to runs and config maps.
func lithopsMade(name string) bool {
	return strings.HasPrefix(name, "lithops") || strings.HasPrefix(name, ownPrefix)
}

// Remove removes what Needs or Leftovers gave; nil when it is not there.
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
		return fault.New(fault.Conflict, i18n.M("Job {{.Job}} uses the secret {{.Name}}.", "Job", jobs[i].Name, "Name", t.Name), i18n.M("Rerun the command."))
	}
	return transport.ConfirmNotFound(t.Name, c.client.deleteSecret(ctx, t.Name), func() error { return c.client.hasSecret(ctx, t.Name) })
}

func (c *Compute) removeRun(ctx context.Context, name string) error {
	return transport.ConfirmNotFound(name, c.client.deleteRun(ctx, name), func() error { _, err := c.client.getRun(ctx, name); return err })
}

func (c *Compute) removeConfigMap(ctx context.Context, name string) error {
	return transport.ConfirmNotFound(name, c.client.deleteConfigMap(ctx, name), func() error { return c.client.hasConfigMap(ctx, name) })
}
