package check

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/parallel"
	"fn-runtime/runtime/site"
)

// checkCaches finds metadata in the cache of this machine that differs from the bucket, and a namespace file without an
// ID. The client uses both without verifying them.
func (d *Doctor) checkCaches(ctx context.Context) Check {
	keys := d.CachedKeys()
	stale, errs := parallel.Each(ctx, parallel.NewGroup(d.Jobs), keys, func(ctx context.Context, key string) (bool, error) {
		object, err := d.Store.Get(ctx, key)
		if fault.Is(err, fault.NotFound) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
		if _, err := site.ParseMetadata(object); err != nil {
			return false, err // an object that cannot be read proves nothing about the cached copy
		}
		cached, err := d.Cache.ReadMetadata(key)
		return err != nil || !bytes.Equal(cached, object), nil
	})
	if err := parallel.FirstError(errs); err != nil {
		return failed(err)
	}
	var remove []func() error
	for i, key := range keys {
		if stale[i] {
			remove = append(remove, func() error { return d.Cache.RemoveMetadata(key) })
		}
	}
	if d.emptyNamespaceFile() {
		remove = append(remove, func() error { return d.Cache.RemoveNamespace(d.Contract.Backend, d.Contract.Namespace) })
	}
	if known, err := d.Cache.ReadProject(d.Target.Namespace); err == nil && d.Contract.Backend == lithops.CodeEngine && known.Outdated() && d.Settings.Namespace == "" {
		if !d.Repair {
			return failed(fault.New(fault.Conflict,
				i18n.M("The Lithops cache on this machine maps project {{.Project}} to namespace {{.Namespace}}, as Lithops before 3.7 did. The client therefore reads different metadata here than on other machines.", "Namespace", known.Namespace, "Project", known.Name),
				i18n.M("Fix it with 'ibmcloud fn-runtime doctor --repair', then deploy again.")))
		}
		known.Namespace = known.ID
		remove = append(remove, func() error { return d.Cache.WriteProject(known) })
	}
	switch {
	case len(remove) == 0:
		return ok(i18n.N("{{.Count}} cached copy of metadata on this machine matches the bucket.", "{{.Count}} cached copies of metadata on this machine match the bucket.", len(keys)))
	case !d.Repair:
		return failed(fault.New(fault.Conflict,
			i18n.N("{{.Count}} entry of this machine's Lithops cache is stale, but the client still uses it.", "{{.Count}} entries of this machine's Lithops cache are stale, but the client still uses them.", len(remove)),
			i18n.M("Remove them with 'ibmcloud fn-runtime doctor --repair'.")))
	}
	var failures []error
	for _, r := range remove {
		failures = append(failures, r())
	}
	if err := errors.Join(failures...); err != nil {
		return failed(err)
	}
	return Check{Status: Repaired, Finding: i18n.N("{{.Count}} stale entry was removed from this machine's Lithops cache.", "{{.Count}} stale entries were removed from this machine's Lithops cache.", len(remove))}
}

// emptyNamespaceFile reports whether the client's namespace file exists but contains no ID. The client leaves such a
// file if it looked up a namespace that did not exist.
func (d *Doctor) emptyNamespaceFile() bool {
	if d.Contract.Backend != lithops.IBMCF || d.Contract.Namespace == "" {
		return false
	}
	_, err := d.Cache.ReadNamespace(d.Contract.Backend, d.Contract.Namespace)
	if !fault.Is(err, fault.NotFound) {
		return false
	}
	_, err = os.Stat(filepath.Join(d.Cache.Dir, string(d.Contract.Backend), d.Contract.Namespace+"_data"))
	return err == nil
}
