package runtime

import (
	"context"
	"errors"
	"slices"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/parallel"
)

// checkup is one check of Doctor.
type checkup struct {
	name string
	run  func(ctx context.Context) Check
}

// Doctor checks every precondition side by side and gives the findings in a fixed order, each failed one with its
// remedy. With repair it mends what is the plug-in's own: metadata without action, and stale caches. It deploys nothing.
// The error is only that of an interruption: what is wrong stands in the checks.
func (s *Service) Doctor(ctx context.Context, repair bool) ([]Check, error) {
	end := s.begin(i18n.M("Checking the preconditions"))
	checkups := []checkup{
		{"python", s.checkPython}, {"lithops", s.checkLithops}, {"configuration", s.checkConfiguration}, {"session", s.checkSession}, {"region", s.checkRegion},
		{"namespace", s.checkNamespace}, {"bucket", s.checkBucket},
		{"caches", func(ctx context.Context) Check { return s.checkCaches(ctx, repair) }},
		{"orphans", func(ctx context.Context) Check { return s.checkOrphans(ctx, repair) }},
		{"docker", s.checkDocker},
	}
	checks, errs := parallel.Each(ctx, parallel.NewGroup(len(checkups)), checkups, func(ctx context.Context, c checkup) (Check, error) {
		start := s.clock().Now()
		check := s.problem(c.name)
		if check == nil {
			found := c.run(ctx)
			check = &found
		}
		check.Name, check.Took = c.name, s.clock().Now().Sub(start)
		return *check, nil
	})
	err := parallel.First(errs)
	if err == nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	end(err)
	return checks, err
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
	"orphans":       {"lithops", "backend", "session", "region", "namespace", "bucket"},
}

// problem gives the check of a part that could not be had, or of one that needs such a part; nil runs the check.
func (s *Service) problem(name string) *Check {
	if err := s.Problems[name]; err != nil {
		c := failed(err)
		return &c
	}
	if backend := s.Problems["backend"]; backend != nil && name == s.shownAs("backend") {
		c := failed(backend)
		return &c
	}
	for _, part := range dependsOn[name] {
		if s.Problems[part] != nil {
			return &Check{Status: CheckSkipped, Finding: i18n.M("Not checked, because the check '{{.Name}}' failed.", "Name", s.shownAs(part))}
		}
	}
	return nil
}

// shownAs is the check under which a missing part is reported. That there is no backend is told by the configuration,
// or by the session where there is none and where the local endpoint does not run.
func (s *Service) shownAs(part string) string {
	switch {
	case part != "backend":
		return part
	case fault.Is(s.Problems[part], fault.Invalid):
		return "configuration"
	}
	return "session"
}

func ok(finding i18n.Message) Check { return Check{Status: CheckOK, Finding: finding} }

func warning(finding, remedy i18n.Message) Check {
	return Check{Status: CheckWarning, Finding: finding, Remedy: remedy}
}

// failed makes a check of an error: its reason and its remedy.
func failed(err error) Check {
	c := Check{Status: CheckFailed, Finding: i18n.M("{{.Error}}", "Error", sentence(err))}
	var f *fault.Fault
	if errors.As(err, &f) {
		if !f.Reason.IsZero() {
			c.Finding = f.Reason
		}
		c.Remedy = f.Recovery
	}
	return c
}

func (s *Service) checkPython(context.Context) Check {
	if s.Install.Python == "" {
		return failed(fault.New(fault.NotFound, i18n.M("No Python was found."), i18n.M("Install Python 3, or name an interpreter with '--python'.")))
	}
	image, err := lithops.DefaultImage(s.Contract.Backend, s.Install.Version, s.Install.Python)
	if err != nil && s.Install.Version != "" {
		c := failed(err)
		c.Status = CheckWarning
		return c
	}
	return ok(i18n.M("Python {{.Python}} ({{.Path}}); its default runtime is {{.Image}}.", "Python", s.Install.Python, "Path", s.interpreter(), "Image", image))
}

func (s *Service) checkLithops(ctx context.Context) Check {
	if s.Install.Dir == "" {
		return failed(fault.New(fault.NotFound, i18n.M("Lithops is not installed."), i18n.M("Install it with 'python3 -m pip install lithops'.")))
	}
	if s.Contract.Backend == "" { // which files make the archive is not known, and another check says why
		return ok(i18n.M("Lithops {{.Version}} in {{.Dir}}.", "Version", s.Install.Version, "Dir", s.Install.Dir))
	}
	bundle, err := lithops.BuildBundle(ctx, s.Install, s.Contract.Backend)
	if err != nil {
		return failed(err)
	}
	return ok(i18n.M("Lithops {{.Version}} in {{.Dir}}, {{.Files}} files.", "Version", s.Install.Version, "Dir", s.Install.Dir, "Files", bundle.Files))
}

// checkConfiguration has the client itself load the configuration: what it says counts.
func (s *Service) checkConfiguration(ctx context.Context) Check {
	if s.AskClient == nil {
		return Check{Status: CheckSkipped, Finding: i18n.M("No Lithops configuration is used.")}
	}
	source, err := s.AskClient(ctx)
	if err != nil {
		return failed(err)
	}
	return ok(i18n.M("The Lithops client takes the configuration {{.Source}}.", "Source", source))
}

// checkSession makes the first real request: only the service knows whether it takes the credentials.
func (s *Service) checkSession(ctx context.Context) Check {
	spaces, err := s.Functions.Namespaces(ctx)
	if err != nil {
		return failed(err)
	}
	if s.ClientDoubt != nil {
		c := failed(s.ClientDoubt)
		c.Status = CheckWarning
		return c
	}
	return ok(i18n.N("{{.Endpoint}} accepts the credentials; {{.Count}} namespace is visible.", "{{.Endpoint}} accepts the credentials; {{.Count}} namespaces are visible.", len(spaces), "Endpoint", s.Target.Endpoint))
}

func (s *Service) checkRegion(context.Context) Check {
	if s.Target.Region == "" {
		return ok(i18n.M("The backend {{.Backend}} has no regions.", "Backend", s.Target.Backend))
	}
	return ok(i18n.M("Region {{.Region}}.", "Region", s.Target.Region))
}

func (s *Service) checkNamespace(ctx context.Context) Check {
	err := s.Namespace.Find(ctx)
	if fault.Is(err, fault.NotFound) {
		return warning(i18n.M("Namespace {{.Namespace}} does not exist yet.", "Namespace", s.Target.Namespace),
			i18n.M("The first 'ibmcloud fn-runtime deploy' makes it."))
	}
	if err != nil {
		return failed(err)
	}
	for _, err := range s.Functions.Packages(ctx) {
		if err != nil {
			return failed(err)
		}
		break
	}
	return ok(i18n.M("Namespace {{.Namespace}}; packages end in {{.Key}} ({{.From}}).",
		"Namespace", s.Target.Namespace, "Key", s.Contract.UserKey, "From", s.Target.UserKeyFrom))
}

// probeKey is written and removed to learn whether the bucket can be written. It is below Lithops' own prefix, which
// nobody else uses.
const probeKey = lithops.RuntimesPrefix + "fn-runtime-doctor"

func (s *Service) checkBucket(ctx context.Context) Check {
	there, err := s.Store.BucketExists(ctx)
	if err != nil {
		return failed(err)
	}
	if !there {
		return warning(i18n.M("Bucket {{.Bucket}} does not exist yet.", "Bucket", s.Target.Bucket),
			i18n.M("The first 'ibmcloud fn-runtime deploy' makes it."))
	}
	if err := s.Store.Put(ctx, probeKey, []byte("{}")); err != nil {
		return failed(err)
	}
	if err := s.Store.Delete(ctx, probeKey); err != nil {
		return failed(err)
	}
	return ok(i18n.M("Bucket {{.Bucket}} can be read and written.", "Bucket", s.Target.Bucket))
}

// pinger is what an Images implementation offers when it can tell whether its engine is there.
type pinger interface {
	Ping(ctx context.Context) (engine string, err error)
}

// checkDocker only warns: an engine is needed to build, not to deploy.
func (s *Service) checkDocker(ctx context.Context) Check {
	images, can := s.Images.(pinger)
	if !can {
		return Check{Status: CheckSkipped, Finding: i18n.M("Docker was not looked for.")}
	}
	engine, err := images.Ping(ctx)
	if err != nil {
		c := failed(err)
		c.Status = CheckWarning
		return c
	}
	return ok(i18n.M("Container engine {{.Engine}}.", "Engine", engine))
}

// checkOrphans looks for metadata without its action: the client would wait for ever on such a runtime.
func (s *Service) checkOrphans(ctx context.Context, repair bool) Check {
	inv, err := s.inventory(ctx)
	if err != nil {
		return failed(err)
	}
	orphans := slices.DeleteFunc(slices.Clone(inv.entries), func(e entry) bool { return !e.orphan })
	if len(orphans) == 0 {
		return ok(i18n.M("All metadata belongs to an action."))
	}
	if !repair {
		c := failed(fault.New(fault.Conflict, i18n.N("{{.Count}} metadata object has no action; the client waits for ever on such a runtime.", "{{.Count}} metadata objects have no action; the client waits for ever on such a runtime.", len(orphans)),
			i18n.M("Remove them with 'ibmcloud fn-runtime doctor --repair'.")))
		return c
	}
	removals := make([]*removal, len(orphans))
	for i, e := range orphans {
		removals[i] = s.planRemoval(e)
	}
	s.removeAll(ctx, removals)
	if err := outcome(ctx, itemsOf(removals)); err != nil {
		return failed(err)
	}
	return Check{Status: CheckRepaired, Finding: i18n.N("{{.Count}} metadata object without an action was removed.", "{{.Count}} metadata objects without an action were removed.", len(orphans))}
}
