// Package check looks whether a site has what its runtimes need, and mends what is the plug-in's own.
//
// What may go in: checks, each with its finding and its remedy. What may not: what deploys or removes a runtime that
// works, HTTP, the screen.
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

// Status is the outcome of one check of doctor.
type Status string

// The outcomes of a check.
const (
	OK       Status = "ok"
	Warning  Status = "warning"
	Failed   Status = "failed"
	Repaired Status = "repaired"
	Skipped  Status = "skipped"
)

// Check is one precondition with its remedy.
type Check struct {
	Region  string // where a command checks several; "" otherwise
	Name    string // stable, for scripts: "session", "region", "namespace", "bucket", "caches", "docker", "python", "lithops", "configuration", "orphans", "runtimes", "quotas"
	Status  Status
	Finding i18n.Message
	Remedy  i18n.Message
	Took    time.Duration
}

// checkup is one check.
type checkup struct {
	name string
	run  func(ctx context.Context) Check
}

// Doctor checks every precondition of a site.
type Doctor struct {
	*site.Site
	Problems map[string]error // by the name of a check, why a part of the site could not be had
	// ClientProblem returns why the Lithops client of this environment would not work with the service that a check has asked;
	// a nil function doubts nothing.
	ClientProblem func(check string) error
	// LoadClientConfig has the Lithops client load the configuration that is used, names it, and fails with the client's words where
	// it refuses it; nil where there is none.
	LoadClientConfig func(ctx context.Context) (source string, err error)
	Repair           bool // mend what is the plug-in's own: metadata without runtime, runtimes whose metadata the client fails on, and stale caches
}

// Run makes the checks side by side and gives the findings in a fixed order, each failed one with its remedy. It deploys
// nothing. The error is only that of an interruption: what is wrong stands in the checks.
func (d *Doctor) Run(ctx context.Context) ([]Check, error) {
	checkups := []checkup{
		{"python", d.checkPython}, {"lithops", d.checkLithops}, {"configuration", d.checkConfiguration}, {"session", d.checkSession}, {"region", d.checkRegion},
		{"namespace", d.checkPlace}, {"bucket", d.checkBucket}, {"caches", d.checkCaches}, {"orphans", d.checkOrphans}, {"runtimes", d.checkRuntimes},
		{"docker", d.checkDocker},
	}
	if _, can := d.Compute.(accountant); can {
		checkups = append(checkups, checkup{"quotas", d.checkQuotas})
	}
	checks, errs := parallel.Each(ctx, parallel.NewGroup(len(checkups)), checkups, func(ctx context.Context, c checkup) (Check, error) {
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
	once(checks)
	return checks, err
}

// once leaves a finding to the first check that has it: later ones that need that, and failed for the same reason, are skipped.
func once(checks []Check) {
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

// dependsOn says which parts a check needs: where one could not be had, the check is skipped rather than failed again.
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

// problem returns the check of a part that could not be had, or of one that needs such a part; nil runs the check.
func (d *Doctor) problem(name string) *Check {
	if err := d.Problems[name]; err != nil {
		c := failed(err)
		return &c
	}
	if backend := d.Problems["backend"]; backend != nil && name == d.shownAs("backend") {
		c := failed(backend)
		return &c
	}
	for _, part := range dependsOn[name] {
		if d.Problems[part] != nil {
			return &Check{Status: Skipped, Finding: notChecked(d.shownAs(part))}
		}
	}
	return nil
}

// shownAs is the check under which a missing part is reported. That there is no backend is told by the configuration,
// or by the session where there is none and where the local endpoint does not run.
func (d *Doctor) shownAs(part string) string {
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

// failed makes a check of an error: its reason and its remedy.
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
	if d.Contract.Backend == "" { // which files make the archive is not known, and another check says why
		return ok(i18n.M("Lithops {{.Version}} in {{.Dir}}.", "Version", d.Install.Version, "Dir", d.Install.Dir))
	}
	bundle, err := lithops.BuildBundle(ctx, d.Install, d.Contract.Backend)
	if err != nil {
		return failed(err)
	}
	return ok(i18n.M("Lithops {{.Version}} in {{.Dir}}, {{.Files}} files.", "Version", d.Install.Version, "Dir", d.Install.Dir, "Files", bundle.Files))
}

// checkConfiguration has the client itself load the configuration: what it says counts.
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

// checkSession makes the first real request: only the service knows whether it takes the credentials.
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

// doubt warns of what keeps the client from working with the service that a check has asked; nil where nothing does.
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

func (d *Doctor) checkPlace(ctx context.Context) Check {
	err := d.Compute.FindScope(ctx)
	if fault.Is(err, fault.NotFound) {
		return warning(i18n.M("{{.Kind}} {{.Name}} does not exist yet.", "Kind", d.Compute.Terms().Scope.Text, "Name", d.Target.Namespace),
			i18n.M("The first 'ibmcloud fn-runtime deploy' creates it."))
	}
	if err != nil {
		return failed(err)
	}
	for _, need := range d.Compute.RequiredResources() { // whether the place may be read
		if _, err := d.Compute.HasResource(ctx, need); err != nil {
			return failed(err)
		}
	}
	limits := d.Limits(ctx)
	for _, err := range []error{limits.CheckMemory(cmp.Or(d.Settings.RuntimeMemory, limits.MinMemoryMB)), limits.CheckTimeout(cmp.Or(d.Settings.RuntimeTimeout, 1))} {
		if err != nil { // of what the configuration says, or of what the client takes without it
			c := failed(err)
			c.Status = Warning
			return c
		}
	}
	if limits.Scaled {
		return d.project()
	}
	return ok(i18n.M("Namespace {{.Namespace}}; package names end in {{.Key}} (from {{.From}}).",
		"Namespace", d.Target.Namespace, "Key", d.Contract.UserKey, "From", d.Target.UserKeyFrom))
}

// probeKey is written and removed to learn whether the bucket can be written. It is below Lithops' own prefix, which
// nobody else uses.
const probeKey = lithops.RuntimesPrefix + "fn-runtime-doctor"

func (d *Doctor) checkBucket(ctx context.Context) Check {
	there, err := d.Store.BucketExists(ctx)
	if err != nil {
		return failed(err)
	}
	switch refused := lithops.CheckBucket(d.Target.Bucket); {
	case !there && refused != nil:
		return failed(refused)
	case !there:
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

// pinger is what an Images implementation offers when it can tell whether its engine is there.
type pinger interface {
	Ping(ctx context.Context) (engine string, err error)
}

// checkDocker only warns: an engine is needed to build, not to deploy.
func (d *Doctor) checkDocker(ctx context.Context) Check {
	images, can := d.Images.(pinger)
	if !can {
		return Check{Status: Skipped, Finding: i18n.M("Docker was not checked.")}
	}
	engine, err := images.Ping(ctx)
	if err != nil {
		c := failed(err)
		c.Status = Warning
		return c
	}
	return ok(i18n.M("Container engine {{.Engine}}.", "Engine", engine))
}

// checkOrphans looks for metadata without its action: the client would wait for ever on such a runtime.
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
