// Package check verifies that a site has everything that its runtimes need, and repairs data that this plug-in manages.
//
// It contains checks with their findings and suggested fixes. It does not deploy or delete working runtimes, and it
// does not use HTTP or the screen.
package check

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/parallel"
	"fn-runtime/runtime/plan"
	"fn-runtime/runtime/site"
)

// Status is the result of a check.
type Status string

// The results of a check.
const (
	OK       Status = "ok"
	Warning  Status = "warning"
	Failed   Status = "failed"
	Repaired Status = "repaired"
	Skipped  Status = "skipped"
)

// Check is the result of checking one precondition.
type Check struct {
	Region  string // set if a command checks several regions
	Name    string // stable, for scripts: "session", "region", "namespace", "bucket", "caches", "docker", "python", "lithops", "configuration", "orphans", "runtimes", "quotas"
	Status  Status
	Finding i18n.Message
	Remedy  i18n.Message
	Took    time.Duration
}

// namedCheck is a check to run.
type namedCheck struct {
	name string
	run  func(ctx context.Context) Check
}

// Doctor checks all preconditions of a site.
type Doctor struct {
	*site.Site
	Problems map[string]error // why parts of the site are unavailable, by the name of the check for each part
	// ClientProblem returns why the Lithops client in this environment would not work with the service that a check has
	// called. A nil function reports no problems.
	ClientProblem func(check string) error
	// LoadClientConfig makes the Lithops client load the configuration and returns its source. If the client rejects
	// it, the error contains the client's message. LoadClientConfig is nil if there is no configuration.
	LoadClientConfig func(ctx context.Context) (source string, err error)
	Repair           bool // fix metadata without a runtime, runtimes whose metadata the client rejects, and stale cache entries
}

// Run runs the checks concurrently and returns the results in a fixed order. Each failed check has a suggested fix. It
// deploys or deletes runtimes only with Repair. It returns an error only if it is interrupted; failures are reported in
// the checks.
func (d *Doctor) Run(ctx context.Context) ([]Check, error) {
	namedChecks := []namedCheck{
		{"python", d.checkPython}, {"lithops", d.checkLithops}, {"configuration", d.checkConfiguration}, {"session", d.checkSession}, {"region", d.checkRegion},
		{"namespace", d.checkScope}, {"bucket", d.checkBucket}, {"caches", d.checkCaches}, {"orphans", d.checkOrphans}, {"runtimes", d.checkRuntimes},
		{"docker", d.checkDocker},
	}
	if _, can := d.Compute.(quotaReporter); can {
		namedChecks = append(namedChecks, namedCheck{"quotas", d.checkQuotas})
	}
	checks, errs := parallel.Each(ctx, parallel.NewGroup(len(namedChecks)), namedChecks, func(ctx context.Context, c namedCheck) (Check, error) {
		start := time.Now()
		check := d.problem(c.name)
		if check == nil {
			found := c.run(ctx)
			check = &found
		}
		check.Name, check.Took = c.name, time.Since(start)
		return *check, nil
	})
	err := parallel.FirstError(errs)
	if err == nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	skipDependents(checks)
	return checks, err
}

// skipDependents marks a failed check as skipped if a check that it depends on failed for the same reason.
func skipDependents(checks []Check) {
	for i, c := range checks {
		for _, other := range checks[:i] {
			if c.Status == Failed && other.Status == Failed && slices.Contains(dependsOn[c.Name], other.Name) && c.Finding.String() == other.Finding.String() {
				checks[i] = Check{Name: c.Name, Status: Skipped, Finding: notChecked(other.Name), Took: c.Took}
			}
		}
	}
}

func notChecked(part string) i18n.Message {
	return i18n.M("Not checked because the check '{{.Name}}' failed.", "Name", part)
}

// dependsOn lists the parts that a check needs. If one of them is unavailable, the check is skipped.
var dependsOn = map[string][]string{
	"python":        {"lithops"},
	"configuration": {"lithops"},
	"region":        {"backend"},
	"session":       {"backend", "region", "namespace"},
	"namespace":     {"backend", "session", "region"},
	"bucket":        {"backend"},
	"caches":        {"lithops", "backend", "session", "region", "namespace", "bucket"},
	"runtimes":      {"lithops", "backend", "session", "region", "namespace", "bucket"},
	"orphans":       {"lithops", "backend", "session", "region", "namespace", "bucket"},
	"quotas":        {"session", "region", "namespace"},
}

// problem returns the failed or skipped result of a check that cannot run because its part of the site, or a part that
// it depends on, is unavailable. It returns nil if the check can run.
func (d *Doctor) problem(name string) *Check {
	if err := d.Problems[name]; err != nil {
		c := failed(err)
		return &c
	}
	if backend := d.Problems["backend"]; backend != nil && name == d.reportedBy("backend") {
		c := failed(backend)
		return &c
	}
	for _, part := range dependsOn[name] {
		if d.Problems[part] != nil {
			return &Check{Status: Skipped, Finding: notChecked(d.reportedBy(part))}
		}
	}
	return nil
}

// reportedBy returns the name of the check that reports an unavailable part. A missing backend is reported by
// "configuration" or, if there is no configuration and the local endpoint is not running, by "session".
func (d *Doctor) reportedBy(part string) string {
	switch {
	case part != "backend":
		return part
	case fault.Is(d.Problems[part], fault.Invalid):
		return "configuration"
	}
	return "session"
}

func ok(finding i18n.Message) Check { return Check{Status: OK, Finding: finding} }

func warning(finding, remedy i18n.Message) Check {
	return Check{Status: Warning, Finding: finding, Remedy: remedy}
}

// failed converts an error to a failed check with its reason and suggested fix.
func failed(err error) Check {
	c := Check{Status: Failed, Finding: i18n.M("{{.Error}}", "Error", site.Sentence(err))}
	if f, ok := errors.AsType[*fault.Fault](err); ok {
		if !f.Reason.IsZero() {
			c.Finding = f.Reason
		}
		c.Remedy = f.Recovery
	}
	return c
}

func (d *Doctor) checkPython(context.Context) Check {
	if d.Install.Python == "" {
		return failed(fault.New(fault.NotFound, i18n.M("Python was not found."), i18n.M("Install Python 3, or specify an interpreter with '--python'.")))
	}
	image, err := lithops.DefaultImage(d.Contract.Backend, d.Install.Version, d.Install.Python)
	if err != nil && d.Install.Version != "" {
		c := failed(err)
		c.Status = Warning
		return c
	}
	return ok(i18n.M("Python {{.Python}} ({{.Path}}); default runtime: {{.Image}}.", "Python", d.Install.Python, "Path", d.Interpreter(), "Image", image))
}

func (d *Doctor) checkLithops(ctx context.Context) Check {
	if d.Install.Dir == "" {
		return failed(fault.New(fault.NotFound, i18n.M("Lithops is not installed."), i18n.M("Install it with 'python3 -m pip install lithops'.")))
	}
	if d.Contract.Backend == "" { // the archive depends on the backend, and another check reports why it is missing
		return ok(i18n.M("Lithops {{.Version}} in {{.Dir}}.", "Version", d.Install.Version, "Dir", d.Install.Dir))
	}
	bundle, err := lithops.BuildBundle(ctx, d.Install, d.Contract.Backend)
	if err != nil {
		return failed(err)
	}
	return ok(i18n.M("Lithops {{.Version}} in {{.Dir}}, {{.Files}} files.", "Version", d.Install.Version, "Dir", d.Install.Dir, "Files", bundle.Files))
}

// checkConfiguration makes the client itself load the configuration, because only the client's verdict counts.
func (d *Doctor) checkConfiguration(ctx context.Context) Check {
	if d.LoadClientConfig == nil {
		return Check{Status: Skipped, Finding: i18n.M("No Lithops configuration is used.")}
	}
	source, err := d.LoadClientConfig(ctx)
	if err != nil {
		return failed(err)
	}
	return ok(i18n.M("The Lithops client uses the configuration {{.Source}}.", "Source", source))
}

// checkSession lists the scopes, because only the service knows whether it accepts the credentials.
func (d *Doctor) checkSession(ctx context.Context) Check {
	spaces, err := d.Compute.Scopes(ctx)
	if err != nil {
		return failed(err)
	}
	if c := d.clientProblem("session"); c != nil {
		return *c
	}
	if d.Contract.Backend == lithops.CodeEngine {
		return ok(i18n.N("{{.Endpoint}} accepts the credentials; {{.Count}} project is visible.", "{{.Endpoint}} accepts the credentials; {{.Count}} projects are visible.", len(spaces), "Endpoint", d.Target.Endpoint))
	}
	return ok(i18n.N("{{.Endpoint}} accepts the credentials; {{.Count}} namespace is visible.", "{{.Endpoint}} accepts the credentials; {{.Count}} namespaces are visible.", len(spaces), "Endpoint", d.Target.Endpoint))
}

// clientProblem returns a warning if the client cannot work with the service that a check has called. It returns nil
// otherwise.
func (d *Doctor) clientProblem(check string) *Check {
	if d.ClientProblem == nil {
		return nil
	}
	err := d.ClientProblem(check)
	if err == nil {
		return nil
	}
	c := failed(err)
	c.Status = Warning
	return &c
}

func (d *Doctor) checkRegion(context.Context) Check {
	if d.Target.Region == "" {
		return ok(i18n.M("The backend {{.Backend}} does not support regions.", "Backend", d.Target.Backend))
	}
	return ok(i18n.M("Region {{.Region}}.", "Region", d.Target.Region))
}

func (d *Doctor) checkScope(ctx context.Context) Check {
	err := d.Compute.FindScope(ctx)
	if fault.Is(err, fault.NotFound) {
		return warning(i18n.M("{{.Kind}} {{.Name}} does not exist yet.", "Kind", d.Compute.Terms().Scope.Text, "Name", d.Target.Namespace),
			i18n.M("The first 'ibmcloud fn-runtime deploy' creates it."))
	}
	if err != nil {
		return failed(err)
	}
	for _, need := range d.Compute.RequiredResources() { // verifies read access to the scope
		if _, err := d.Compute.HasResource(ctx, need); err != nil {
			return failed(err)
		}
	}
	limits := d.Limits(ctx)
	for _, err := range []error{limits.CheckMemory(cmp.Or(d.Settings.RuntimeMemory, limits.MinMemoryMB)), limits.CheckTimeout(cmp.Or(d.Settings.RuntimeTimeout, 1))} {
		if err != nil { // checks the configured values or the client's defaults
			c := failed(err)
			c.Status = Warning
			return c
		}
	}
	if limits.FixedSizes {
		return d.projectOK()
	}
	return ok(i18n.M("Namespace {{.Namespace}}; package names end in {{.Key}} (from {{.From}}).",
		"Namespace", d.Target.Namespace, "Key", d.Contract.UserKey, "From", d.Target.UserKeyFrom))
}

// probeKey is the key of an object that is written and deleted to verify write access to the bucket. It uses the prefix
// of Lithops, which nothing else uses.
const probeKey = lithops.RuntimesPrefix + "fn-runtime-doctor"

func (d *Doctor) checkBucket(ctx context.Context) Check {
	exists, err := d.Store.BucketExists(ctx)
	if err != nil {
		return failed(err)
	}
	switch refused := lithops.CheckBucket(d.Target.Bucket); {
	case !exists && refused != nil:
		return failed(refused)
	case !exists:
		return warning(i18n.M("Bucket {{.Bucket}} does not exist yet.", "Bucket", d.Target.Bucket),
			i18n.M("The first 'ibmcloud fn-runtime deploy' creates it."))
	}
	if err := d.Store.Put(ctx, probeKey, []byte("{}")); err != nil {
		return failed(err)
	}
	if err := d.Store.Delete(ctx, probeKey); err != nil {
		return failed(err)
	}
	if c := d.clientProblem("bucket"); c != nil {
		return *c
	}
	return ok(i18n.M("Bucket {{.Bucket}} can be read and written.", "Bucket", d.Target.Bucket))
}

// pinger is implemented by an Images that can check whether its container engine is available.
type pinger interface {
	Ping(ctx context.Context) (engine string, err error)
}

// checkDocker only warns, because the engine is needed to build images but not to deploy them.
func (d *Doctor) checkDocker(ctx context.Context) Check {
	images, can := d.Images.(pinger)
	if !can {
		return Check{Status: Skipped, Finding: i18n.M("The container engine was not checked.")}
	}
	engine, err := images.Ping(ctx)
	if err != nil {
		c := failed(err)
		c.Status = Warning
		return c
	}
	return ok(i18n.M("Container engine {{.Engine}}.", "Engine", engine))
}

// checkOrphans finds metadata without a runtime. The client would wait for such a runtime indefinitely.
func (d *Doctor) checkOrphans(ctx context.Context) Check {
	inv, err := d.Inventory(ctx)
	if err != nil {
		return failed(err)
	}
	orphans := slices.DeleteFunc(slices.Clone(inv.Entries), func(e site.Entry) bool { return !e.Orphan })
	if len(orphans) == 0 {
		return ok(i18n.M("All metadata belongs to existing runtimes."))
	}
	if !d.Repair {
		return failed(fault.New(fault.Conflict, i18n.N("{{.Count}} metadata object has no runtime. The client would wait for the runtime indefinitely.", "{{.Count}} metadata objects have no runtime. The client would wait for these runtimes indefinitely.", len(orphans)),
			i18n.M("Remove them with 'ibmcloud fn-runtime doctor --repair'.")))
	}
	p := plan.New(d.Site, lithops.Bundle{})
	p.Remove(inv, orphans, i18n.Message{})
	if err := p.Run(ctx, nil); err != nil {
		return failed(err)
	}
	return Check{Status: Repaired, Finding: i18n.N("{{.Count}} metadata object without a runtime was deleted.", "{{.Count}} metadata objects without a runtime were deleted.", len(orphans))}
}
