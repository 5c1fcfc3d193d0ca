package codeengine

import (
	"context"
	"errors"
	"sync"
	"time"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/parallel"
)

// Project defines the project of a client.
type Project struct {
	entity.Scope // if the ID is empty, it is looked up when it is first needed
	// Cache stores the IDs of projects between commands. It may be nil.
	Cache Cache
	// ResourceGroup returns the ID of the resource group in which the project is created.
	ResourceGroup func(ctx context.Context) (string, error)
	// Begin reports the start of a wait. The returned function reports its end. Begin may be nil.
	Begin func(step i18n.Message) (end func(error))
}

// Cache stores the IDs of projects on this machine. The Lithops client uses the same cache.
type Cache interface {
	Lookup(name string) (id string, ok bool)
	Store(name, id string) error
	Remove(name string) error
}

// project is a project with its lookup state.
type project struct {
	Project

	mu             sync.Mutex
	configuredName string // key of the cache
	confirmed      bool   // the service has confirmed the ID
}

// readyTime is the maximum time until a new project is active. The poll intervals grow from readyFirst to readyLast.
const (
	readyTime  = 10 * time.Minute
	readyFirst = time.Second
	readyLast  = 10 * time.Second
)

// scope returns the project. Its ID is empty until it has been looked up.
func (c *Client) scope() entity.Scope {
	c.project.mu.Lock()
	defer c.project.mu.Unlock()
	return c.project.Scope
}

// find looks up the project by its configured or cached ID, otherwise by its name. It returns a fault.NotFound error
// if the project does not exist or is not active yet.
func (c *Client) find(ctx context.Context) error {
	_, err := c.projectID(ctx)
	return err
}

// projectID returns the ID of the project like find.
func (c *Client) projectID(ctx context.Context) (string, error) {
	c.project.mu.Lock()
	defer c.project.mu.Unlock()
	p, err := c.lookUp(ctx)
	if err == nil && p.Status != active {
		err = fault.New(fault.NotFound, i18n.M("Project {{.Project}} is still being created.", "Project", p.Name), i18n.M("Rerun the command in a minute."))
	}
	return p.ID, err
}

// lookUp returns the project if it is active or being created.
func (c *Client) lookUp(ctx context.Context) (projectDoc, error) {
	p := &c.project
	if p.confirmed {
		return projectDoc{ID: p.ID, Name: p.Name, Status: active}, nil
	}
	id := p.ID
	if id == "" && p.Cache != nil {
		id, _ = p.Cache.Lookup(p.configuredName)
	}
	if validProjectID.MatchString(id) {
		doc, err := c.getProject(ctx, id)
		switch {
		case err == nil && usable(doc):
			c.setProject(doc)
			return doc, nil
		case err != nil && !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.Denied): // NotFound or Denied: search by name, as the client does
			return projectDoc{}, err
		}
	}
	all, err := c.projects(ctx)
	if err != nil {
		return projectDoc{}, err
	}
	for _, doc := range all {
		if doc.Name == p.configuredName && validProjectID.MatchString(doc.ID) && usable(doc) {
			c.setProject(doc)
			return doc, nil
		}
	}
	return projectDoc{}, fault.New(fault.NotFound, i18n.M("Project {{.Project}} does not exist.", "Project", p.Name),
		i18n.M("The first 'ibmcloud fn-runtime deploy' creates it. Specify another project with '--namespace'."))
}

// usable reports whether a project is active or will become active.
func usable(p projectDoc) bool {
	return p.Status == active || p.Status == creating || p.Status == preparing
}

// setProject sets the project and stores its ID in the cache. Errors of the cache are ignored: later commands look up
// the project again.
func (c *Client) setProject(doc projectDoc) {
	p := &c.project
	if p.ID = doc.ID; doc.Name != "" {
		p.Name = doc.Name
	}
	if p.confirmed = doc.Status == active; p.confirmed && p.Cache != nil {
		_ = p.Cache.Store(p.configuredName, p.ID)
	}
}

// ensureProject creates the project if it does not exist, and waits until it is active.
func (c *Client) ensureProject(ctx context.Context) error {
	p := &c.project
	p.mu.Lock()
	defer p.mu.Unlock()
	doc, err := c.lookUp(ctx)
	switch {
	case err == nil && doc.Status == active:
		return nil
	case fault.Is(err, fault.NotFound):
		group, err := p.ResourceGroup(ctx)
		if err != nil {
			return err
		}
		if doc, err = c.createProject(ctx, p.Name, group); err != nil {
			return c.resolveConflict(ctx, err)
		}
	case err != nil:
		return err
	}
	end := func(error) {}
	if p.Begin != nil {
		end = p.Begin(i18n.M("Waiting for project {{.Project}} to be ready", "Project", p.Name))
	}
	err = c.waitUntilActive(ctx, doc)
	end(err)
	return err
}

// resolveConflict handles an error of createProject. After a conflict it looks up the project. If the project exists,
// resolveConflict waits until it is active: either another client created it, or the response to an earlier request of
// this command was lost. Otherwise the name belongs to a deleted project.
func (c *Client) resolveConflict(ctx context.Context, createErr error) error {
	if !fault.Is(createErr, fault.Conflict) {
		return createErr
	}
	doc, err := c.lookUp(ctx)
	switch {
	case err == nil:
		return c.waitUntilActive(ctx, doc)
	case !fault.Is(err, fault.NotFound):
		return err
	}
	return fault.New(fault.Conflict,
		i18n.M("Project {{.Project}} was deleted. Code Engine keeps the project and its name for seven days.", "Project", c.project.Name),
		i18n.M("Delete it permanently with 'ibmcloud ce project delete --name {{.Project}} --hard', or specify another name with '--namespace' and set it as 'project_name' in the Lithops configuration.", "Project", c.project.Name)).Because(createErr)
}

// waitUntilActive waits until a project is active.
func (c *Client) waitUntilActive(ctx context.Context, doc projectDoc) error {
	late := fault.New(fault.Timeout, i18n.M("Project {{.Project}} was not ready within {{.Wait}}.", "Project", c.project.Name, "Wait", readyTime),
		i18n.M("Rerun the command to continue waiting."))
	ctx, cancel := context.WithTimeoutCause(ctx, readyTime, late)
	defer cancel()
	lastOK := time.Now() // time of the last expected response
	for pause := readyFirst; doc.Status != active; pause = min(pause*3/2, readyLast) {
		if doc.Status == creationFailed {
			return fault.New(fault.Failed, i18n.M("Code Engine could not create project {{.Project}}.", "Project", c.project.Name),
				i18n.M("Delete it with 'ibmcloud ce project delete --name {{.Project}} --hard', then rerun the command.", "Project", c.project.Name))
		}
		if err := parallel.Sleep(ctx, pause); err != nil {
			return err
		}
		now, err := c.getProject(ctx, doc.ID)
		switch {
		case err == nil:
			doc, lastOK = now, time.Now()
		case fault.Is(err, fault.NotFound): // new projects are not visible everywhere immediately
			lastOK = time.Now()
		case !maybeNotReady(err) || time.Since(lastOK) > maxUnavailable:
			return err
		}
	}
	c.setProject(doc)
	return nil
}

// maxUnavailable is the maximum time for which the service may deny access to a new project, or be unavailable,
// without interruption.
const maxUnavailable = 45 * time.Second

// maybeNotReady reports whether an error may be caused by the project being new rather than by the credentials.
func maybeNotReady(err error) bool {
	return fault.Is(err, fault.Denied) && !errors.Is(err, errUnauthorized) || fault.Is(err, fault.Unavailable)
}

// removeProject deletes the project with all its content and its cache entry. It returns a fault.NotFound error if
// the project does not exist.
func (c *Client) removeProject(ctx context.Context) error {
	p := &c.project
	p.mu.Lock()
	defer p.mu.Unlock()
	doc, err := c.lookUp(ctx)
	if err == nil {
		err = c.deleteProject(ctx, doc.ID)
	}
	if err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	p.ID, p.confirmed = "", false
	if p.Cache != nil {
		err = errors.Join(err, p.Cache.Remove(p.configuredName))
	}
	return err
}
