package codeengine

import (
	"context"
	"errors"
	"strings"

	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
)

// ownPrefix begins the names of what we make beside jobs. It is not Lithops', whose clean removes all that begins with its
// own.
const ownPrefix = "fn-runtime-"

// Where jobs find the code: a folder with one file, whose name is the key in the config map.
const (
	codeFolder = "/fn-runtime"
	codeKey    = "code"
)

// codeName is the name of the config map that holds some code. Jobs of the same release and code share it.
func (c *Compute) codeName(code lithops.Bundle) string {
	return ownPrefix + strings.ReplaceAll(c.o.Contract.Version, ".", "") + "-" + code.SHA256[:min(12, len(code.SHA256))]
}

// provide puts the code of a job into its config map, unless it is there.
func (c *Compute) provide(ctx context.Context, job jobDoc, code lithops.Bundle) error {
	name := codeOf(job)
	if name == "" {
		return nil
	}
	c.mu.Lock()
	made := c.code[name]
	if made == nil {
		made = &once{}
		c.code[name] = made
	}
	c.kept[name] = code.Base64
	c.mu.Unlock()
	return made.do(func() error {
		return c.client.ensureConfigMap(ctx, configMapDoc{Name: name, Data: map[string]string{codeKey: code.Base64}})
	})
}

// restore makes the code of a job again that a deletion at the same time has taken for unused: a run that waits for it goes
// on then.
func (c *Compute) restore(ctx context.Context, job string) error {
	c.mu.Lock()
	name := c.used[job]
	code := c.kept[name]
	c.mu.Unlock()
	if code == "" || !fault.Is(c.client.hasConfigMap(ctx, name), fault.NotFound) {
		return nil
	}
	return c.client.ensureConfigMap(ctx, configMapDoc{Name: name, Data: map[string]string{codeKey: code}})
}

// codeOf names the config map with the code of a job; "" when there is none.
func codeOf(j jobDoc) string {
	for _, m := range j.Mounts {
		if m.Path == codeFolder && strings.HasPrefix(m.Reference, ownPrefix) {
			return m.Reference
		}
	}
	return ""
}

// see remembers where a job has its code.
func (c *Compute) see(j jobDoc) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.used[j.Name] = codeOf(j)
}

// lost notes that a job does not need the code any more that it was last seen with.
func (c *Compute) lost(job string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if name := c.used[job]; name != "" {
		c.suspect[name] = true
	}
	delete(c.used, job)
}

// DeleteUnused removes the code that no job runs any more.
func (c *Compute) DeleteUnused(ctx context.Context) error {
	c.mu.Lock()
	suspect := c.suspect
	c.suspect = map[string]bool{}
	c.mu.Unlock()
	if len(suspect) == 0 {
		return nil
	}
	jobs, err := c.client.jobs(ctx)
	if err != nil {
		return err
	}
	for _, j := range jobs {
		delete(suspect, codeOf(j))
	}
	var failures []error
	for name := range suspect {
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
