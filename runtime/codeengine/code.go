package codeengine

import (
	"context"
	"errors"
	"strings"

	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
)

// ownPrefix is the prefix of the resources other than jobs that this program creates. It differs from the prefix of
// Lithops, whose clean command deletes all resources with its own prefix.
const ownPrefix = "fn-runtime-"

// Location of the code in a job: a directory with one file. The name of the file is the key in the config map.
const (
	codeDir = "/fn-runtime"
	codeKey = "code"
)

// codeName returns the name of the config map for code. Jobs of the same release with the same code share it.
func (c *Compute) codeName(code lithops.Bundle) string {
	return ownPrefix + strings.ReplaceAll(c.o.Contract.Version, ".", "") + "-" + code.SHA256[:min(12, len(code.SHA256))]
}

// ensureCode creates the config map with the code of a job if it does not exist.
func (c *Compute) ensureCode(ctx context.Context, job jobDoc, code lithops.Bundle) error {
	name := codeOf(job)
	if name == "" {
		return nil
	}
	c.mu.Lock()
	creation := c.code[name]
	if creation == nil {
		creation = &once{}
		c.code[name] = creation
	}
	c.codeData[name] = code.Base64
	c.mu.Unlock()
	return creation.do(func() error {
		return c.client.ensureConfigMap(ctx, configMapDoc{Name: name, Data: map[string]string{codeKey: code.Base64}})
	})
}

// restoreCode creates the config map of a job again if a concurrent deletion considered it unused. Runs that wait for
// it can then start.
func (c *Compute) restoreCode(ctx context.Context, job string) error {
	c.mu.Lock()
	name := c.jobCode[job]
	code := c.codeData[name]
	c.mu.Unlock()
	if code == "" || !fault.Is(c.client.findConfigMap(ctx, name), fault.NotFound) {
		return nil
	}
	return c.client.ensureConfigMap(ctx, configMapDoc{Name: name, Data: map[string]string{codeKey: code}})
}

// codeOf returns the name of the config map with the code of a job. It returns "" if there is none.
func codeOf(j jobDoc) string {
	for _, m := range j.Mounts {
		if m.Path == codeDir && strings.HasPrefix(m.Reference, ownPrefix) {
			return m.Reference
		}
	}
	return ""
}

// recordCode records which config map contains the code of a job.
func (c *Compute) recordCode(j jobDoc) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.jobCode[j.Name] = codeOf(j)
}

// releaseCode records that a job no longer uses its last recorded code.
func (c *Compute) releaseCode(job string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if name := c.jobCode[job]; name != "" {
		c.maybeUnused[name] = true
	}
	delete(c.jobCode, job)
}

// DeleteUnused deletes the config maps with code that no job uses.
func (c *Compute) DeleteUnused(ctx context.Context) error {
	c.mu.Lock()
	maybeUnused := c.maybeUnused
	c.maybeUnused = map[string]bool{}
	c.mu.Unlock()
	if len(maybeUnused) == 0 {
		return nil
	}
	jobs, err := c.client.jobs(ctx)
	if err != nil {
		return err
	}
	for _, j := range jobs {
		delete(maybeUnused, codeOf(j))
	}
	var failures []error
	for name := range maybeUnused {
		if err := c.removeConfigMap(ctx, name); err != nil {
			failures = append(failures, err)
			continue
		}
		c.mu.Lock()
		delete(c.code, name)
		c.mu.Unlock()
	}
	return errors.Join(failures...)
}
