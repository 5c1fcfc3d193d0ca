package check

import (
	"context"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/parallel"
	"fn-runtime/runtime/plan"
	"fn-runtime/runtime/site"
)

// checkRuntimes checks the runtimes of this client by the same rules as list. With Repair, it redeploys runtimes whose
// metadata the client rejects. It only reports other runtimes that are not ready, because they work.
func (d *Doctor) checkRuntimes(ctx context.Context) Check {
	inv, err := d.Inventory(ctx)
	if err == nil {
		err = d.ReadMetadata(ctx, inv.Entries)
	}
	if err != nil {
		return failed(err)
	}
	bundle, err := lithops.BuildBundle(ctx, d.Install, d.Contract.Backend)
	if err != nil {
		return failed(err)
	}
	digests := d.Digests(ctx, inv.Entries)
	var unusable, others []site.Entry
	var why, remedy i18n.Message // of the last runtime in others
	count := 0
	for _, e := range inv.Entries {
		if !e.Own || e.Orphan || e.Version != d.Contract.Version {
			continue
		}
		count++
		switch state, reason := d.StateOf(e, bundle.SHA256, digests[e.Image]); {
		case state == site.PythonMismatch && !d.Target.HostPython: // update skips this runtime, too: it works for clients with its Python version
			others, why, remedy = append(others, e), reason, i18n.M("Run 'ibmcloud fn-runtime deploy IMAGE' with an image that has the client's Python version.")
		case !e.MetadataProblem().IsZero():
			unusable = append(unusable, e)
		case state != site.Ready:
			others, why, remedy = append(others, e), reason, i18n.M("Update them with 'ibmcloud fn-runtime update all'.")
		}
	}
	notReady := func(entries []site.Entry, why i18n.Message) i18n.Message {
		return i18n.N("{{.Count}} runtime is not ready: {{.Image}}. {{.Reason}}", "{{.Count}} runtimes are not ready, such as {{.Image}}. {{.Reason}}",
			len(entries), "Image", entries[len(entries)-1].Image, "Reason", why)
	}
	switch {
	case len(unusable) > 0 && d.Repair:
		return d.redeploy(ctx, bundle, unusable, digests)
	case len(unusable) > 0:
		return failed(fault.New(fault.Conflict, notReady(unusable, unusable[len(unusable)-1].MetadataProblem()),
			i18n.M("Redeploy them with 'ibmcloud fn-runtime doctor --repair'.")))
	case len(others) > 0:
		return warning(notReady(others, why), remedy)
	}
	return ok(i18n.N("{{.Count}} runtime of this client is deployed.", "{{.Count}} runtimes of this client are deployed.", count))
}

// redeploy registers runtimes with the client's code and stores their metadata.
func (d *Doctor) redeploy(ctx context.Context, bundle lithops.Bundle, entries []site.Entry, digests map[string]string) Check {
	p := plan.New(d.Site, bundle)
	all, errs := parallel.Each(ctx, parallel.NewGroup(d.Jobs), entries, func(ctx context.Context, e site.Entry) (*plan.Deployment, error) {
		metadata, err := d.GetMetadata(ctx, e.MetadataKey)
		if err != nil {
			return nil, err
		}
		cached, _ := d.Cache.ReadMetadata(e.MetadataKey)
		have := plan.Existing{Runtime: &e.Registered, Metadata: metadata, Cached: cached}
		return p.NewDeployment(d.WantExisting(e, 0, digests[e.Image]), have, false), nil
	})
	if err := parallel.FirstError(errs); err != nil {
		return failed(err)
	}
	p.Deploy(all...)
	if err := p.Run(ctx, nil); err != nil {
		return failed(err)
	}
	return Check{Status: Repaired, Finding: i18n.N("{{.Count}} runtime was redeployed because the client could not use its metadata.",
		"{{.Count}} runtimes were redeployed because the client could not use their metadata.", len(entries))}
}
