package codeengine

import (
	"context"
	"maps"
	"slices"

	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/parallel"
)

// Register creates or updates a runtime. It first creates the registry secret if credentials are configured, and the
// config map with the code unless the image contains the code. Variables of other tools are kept.
func (c *Compute) Register(ctx context.Context, r entity.Registered, code lithops.Bundle) (entity.Registered, error) {
	job := c.definition(r, code)
	notes := maps.Clone(r.Notes)
	notes[entity.NoteRevision] = revision(job)
	if err := job.setNotes(notes); err != nil {
		return r, err
	}
	for range c.RequiredResources() {
		if _, err := c.CreateResource(ctx, entity.Resource{}); err != nil {
			return r, err
		}
	}
	if err := c.ensureCode(ctx, job, code); err != nil {
		return r, err
	}
	stored, err := c.putJob(ctx, job, r.Revision != "")
	if err == nil && revision(stored) != revision(job) { // the service changed the definition: remove the note, so that revisions are not compared
		delete(notes, entity.NoteRevision)
		if err = job.setNotes(notes); err == nil {
			stored, err = c.putJob(ctx, job, true)
		}
	}
	if err != nil {
		return r, err
	}
	registered := c.registered(stored)
	if normalizeImage(stored.Image) == normalizeImage(r.Reference) {
		registered.Reference = r.Reference
	}
	return registered, nil
}

// definition returns the job of a runtime. It differs from the job of the Lithops client only in the source of the
// code.
func (c *Compute) definition(r entity.Registered, code lithops.Bundle) jobDoc {
	job := jobDoc{
		Name: r.ID.Name, Image: r.Reference, Commands: []string{lithops.JobPython}, Arguments: []string{lithops.JobEntry}, Mode: "task", ArraySpec: "0",
		CPU: lithops.FormatCPU(r.MilliCPU), Memory: lithops.FormatMemory(r.MemoryMB), MaxExecutionTime: r.TimeoutMS / 1000, RetryLimit: 3,
		Env: []variable{literal(actionEnv, "run"), literal(typeEnv, runtimeType), literal(versionEnv, c.o.Contract.Version)},
	}
	if c.hasCredentials() {
		job.ImageSecret = registrySecretName
	}
	if r.Note(entity.NoteCode) != entity.CodeInImage {
		job.Commands, job.Arguments = lithops.Bootstrap(codeDir + "/" + codeKey)
		job.Mounts = []mount{{Type: "config_map", Reference: c.codeName(code), Path: codeDir}}
	}
	return job
}

// putJob creates a job or updates the existing one. It never deletes the existing job, because clients may use it at
// any time. exists selects which of the two is tried first.
func (c *Compute) putJob(ctx context.Context, job jobDoc, exists bool) (stored jobDoc, err error) {
	for try := range conflictTries {
		if try > 1 { // a job that is being deleted still exists for a short time
			if err := parallel.Sleep(ctx, min(pollFirst<<try, pollLast)); err != nil {
				return stored, err
			}
		}
		if !exists {
			stored, err = c.client.createJob(ctx, job)
			if !fault.Is(err, fault.Conflict) {
				return stored, err
			}
		}
		current, readErr := c.client.getJob(ctx, job.Name)
		if fault.Is(readErr, fault.NotFound) {
			exists = false
			continue
		}
		if readErr != nil {
			return stored, readErr
		}
		c.recordCode(current)
		changed := job
		changed.Env = append(slices.Clip(changed.Env), foreignVariables(current.Env)...)
		stored, err = c.client.updateJob(ctx, current, changed)
		switch {
		case err == nil:
			c.releaseCode(job.Name)
			return stored, nil
		case fault.Is(err, fault.NotFound):
			exists = false
		case fault.Is(err, fault.Conflict):
			exists = true
		default:
			return stored, err
		}
	}
	return stored, err
}
