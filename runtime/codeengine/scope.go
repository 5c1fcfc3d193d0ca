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

// Project says which project a client works in.
type Project struct {
	entity.Scope // without an ID it is looked up, once, when something needs it
	// Cache stores the IDs of projects between commands. It may be nil.
	Cache Cache
	// ResourceGroup returns the id of the group in which the project is made.
	ResourceGroup func(ctx context.Context) (string, error)
	// Begin is told what is waited for; the function that it returns is called at the end. Nil: nobody is told.
	Begin func(step i18n.Message) (end func(error))
}

// Cache stores the IDs of projects on this machine. The Lithops client uses the same cache.
type Cache interface {
	Lookup(name string) (id string, ok bool)
	Store(name, id string) error
	Remove(name string) error
}

// project is a project with what is known of it.
type project struct {
	Project

	mu     sync.Mutex
	called string // its name as it is configured, under which it is remembered
	found  bool   // the service has confirmed the id
}

// readyTime is how long a new project may take until it can be used. The pauses between two looks grow.
const (
	readyTime  = 10 * time.Minute
	readyFirst = time.Second
	readyLast  = 10 * time.Second
)

// place returns the project; its id is "" until it is known.
func (c *Client) place() entity.Scope {
	c.project.mu.Lock()
	defer c.project.mu.Unlock()
	return c.project.Scope
}

// find looks the project up, by its id where one is configured or remembered, else by its name. fault.NotFound when it
// does not exist, or is not ready yet.
func (c *Client) find(ctx context.Context) error {
	_, err := c.projectID(ctx)
	return err
}

func (c *Client) projectID(ctx context.Context) (string, error) {
	c.project.mu.Lock()
	defer c.project.mu.Unlock()
	p, err := c.lookUp(ctx)
	if err == nil && p.Status != active {
		err = fault.New(fault.NotFound, i18n.M("Project {{.Project}} is still being created.", "Project", p.Name), i18n.M("Rerun the command in a minute."))
	}
	return p.ID, err
}

// lookUp returns the project that can be used, or will be.
func (c *Client) lookUp(ctx context.Context) (projectDoc, error) {
	p := &c.project
	if p.found {
		return projectDoc{ID: p.ID, Name: p.Name, Status: active}, nil
	}
	id := p.ID
	if id == "" && p.Cache != nil {
		id, _ = p.Cache.Lookup(p.called)
	}
	if idForm.MatchString(id) {
		doc, err := c.getProject(ctx, id)
		switch {
		case err == nil && usable(doc):
			c.know(doc)
			return doc, nil
		case err != nil && !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.Denied): // as the client, which looks by name then
			return projectDoc{}, err
		}
	}
	all, err := c.projects(ctx)
	if err != nil {
		return projectDoc{}, err
	}
	for _, doc := range all {
		if doc.Name == p.called && idForm.MatchString(doc.ID) && usable(doc) {
			c.know(doc)
			return doc, nil
		}
	}
	return projectDoc{}, fault.New(fault.NotFound, i18n.M("Project {{.Project}} does not exist.", "Project", p.Name),
		i18n.M("The first 'ibmcloud fn-runtime deploy' creates it. Specify another project with '--namespace'."))
}

func usable(p projectDoc) bool {
	return p.Status == active || p.Status == creating || p.Status == preparing
}

// know keeps a project for this command, and for the next ones: where it cannot be kept, they only ask again.
func (c *Client) know(doc projectDoc) {
	p := &c.project
	if p.ID = doc.ID; doc.Name != "" {
		p.Name = doc.Name
	}
	if p.found = doc.Status == active; p.found && p.Cache != nil {
		_ = p.Cache.Store(p.called, p.ID)
	}
}

// makeProject makes the project unless it is there, and waits until it can be used.
func (c *Client) makeProject(ctx context.Context) error {
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
			return c.taken(ctx, err)
		}
	case err != nil:
		return err
	}
	end := func(error) {}
	if p.Begin != nil {
		end = p.Begin(i18n.M("Waiting for project {{.Project}} to be ready", "Project", p.Name))
	}
	err = c.wait(ctx, doc)
	end(err)
	return err
}

// taken judges why a project could not be made. A conflict may be of somebody who was faster, or of this command's own
// request, whose first answer was lost; else the name is that of a project that was deleted.
func (c *Client) taken(ctx context.Context, refused error) error {
	if !fault.Is(refused, fault.Conflict) {
		return refused
	}
	doc, err := c.lookUp(ctx)
	switch {
	case err == nil:
		return c.wait(ctx, doc)
	case !fault.Is(err, fault.NotFound):
		return err
	}
	return fault.New(fault.Conflict,
		i18n.M("Project {{.Project}} was deleted. Code Engine keeps the project and its name for seven days.", "Project", c.project.Name),
		i18n.M("Delete it permanently with 'ibmcloud ce project delete --name {{.Project}} --hard', or specify another name with '--namespace' and set it as 'project_name' in the Lithops configuration.", "Project", c.project.Name)).Because(refused)
}

// wait waits until a project can be used.
func (c *Client) wait(ctx context.Context, doc projectDoc) error {
	late := fault.New(fault.Timeout, i18n.M("Project {{.Project}} was not ready within {{.Wait}}.", "Project", c.project.Name, "Wait", readyTime),
		i18n.M("Rerun the command to continue waiting."))
	ctx, cancel := context.WithTimeoutCause(ctx, readyTime, late)
	defer cancel()
	sound := time.Now() // when the service last answered as it should
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
			doc, sound = now, time.Now()
		case fault.Is(err, fault.NotFound): // it is not known everywhere at once
			sound = time.Now()
		case !notReady(err) || time.Since(sound) > mayBeAway:
			return err
		}
	}
	c.know(doc)
	return nil
}

// mayBeAway is how long in a row the service may refuse, or not answer for, a new project.
const mayBeAway = 45 * time.Second

// notReady reports whether an error may be that of a project that is new, and not of credentials.
func notReady(err error) bool {
	return fault.Is(err, fault.Denied) && !errors.Is(err, errUnauthorized) || fault.Is(err, fault.Unavailable)
}

// removeProject removes the project with everything in it, and what the memory knows of it; fault.NotFound when it is not there.
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
	p.ID, p.found = "", false
	if p.Cache != nil {
		err = errors.Join(err, p.Cache.Remove(p.called))
	}
	return err
}
