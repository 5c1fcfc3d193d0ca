package commands

import (
	"cmp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"fn-runtime/i18n"
	"fn-runtime/runtime"
	"fn-runtime/runtime/connect"
)

// The following functions add flags. The help text of a flag is a Message, so that it can be translated. Help shows a
// `WORD` in backquotes as the name of the value.

func boolFlag(cmd *cobra.Command, p *bool, name, short string, text i18n.Message) {
	cmd.Flags().BoolVarP(p, name, short, false, text.ID)
}

func stringFlag(cmd *cobra.Command, p *string, name, short string, text i18n.Message) {
	cmd.Flags().StringVarP(p, name, short, "", text.ID)
}

// countFlag adds a flag whose value is an integer from 1 to most.
func countFlag(cmd *cobra.Command, p *int, name, short string, most int, text i18n.Message) {
	cmd.Flags().VarP(&countValue{p: p, most: most}, name, short, text.ID)
}

// outputFlags adds the flags that select the output format. Parsing them sets fields of f.View.
func (f *Factory) outputFlags(cmd *cobra.Command) {
	cmd.Flags().Var(choice{values: []string{"json"}, set: func(string) { f.View.JSON = true }}, "output",
		i18n.M("Write one JSON document to stdout; `FORMAT` must be json.").ID)
	f.filterFlag(cmd, "format", "jq", f.View.SetFormat, i18n.M("Format the JSON document with this Go `TEMPLATE`."))
	f.filterFlag(cmd, "jq", "format", func(s string) error { return f.View.SetQuery(cmd.Context(), s) },
		i18n.M("Filter the JSON document with this jq `EXPRESSION`."))
	cmd.Flags().BoolVarP(&f.View.Quiet, "quiet", "q", f.View.Quiet, i18n.M("Suppress progress and success messages.").ID)
	complete(cmd, "output", "json")
	markCommon(cmd, "output", "quiet", "format", "jq")
}

// filterFlag adds a flag that filters the JSON document. It cannot be combined with the other filter flag.
func (f *Factory) filterFlag(cmd *cobra.Command, name, other string, set func(string) error, text i18n.Message) {
	cmd.Flags().Var(textValue{func(s string) error {
		if cmd.Flags().Changed(other) {
			return contradiction(other, name)
		}
		if err := set(s); err != nil {
			return valueError{i18n.M("{{.Error}}", "Error", err.Error())}
		}
		f.View.JSON = true
		return nil
	}}, name, text.ID)
	complete(cmd, name)
}

// targetFlags holds the values of the flags that select the target.
type targetFlags struct {
	backend       string
	config        string
	region        string
	resourceGroup string
	namespace     string
	bucket        string
	userKey       string
	python        string
	lithops       string
	as            string // the service that the local endpoint emulates; "" for OpenWhisk
	jobs          int
	detailed      bool     // --detailed-exitcode: exit with exitChanged if something changes
	regions       []string // of --regions
}

// maxJobs is the upper limit of --jobs. No service benefits from more connections.
const maxJobs = 256

func (t *targetFlags) add(f *Factory, cmd *cobra.Command) {
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error {
		if err := t.chooseBackend(f); err != nil {
			return err
		}
		t.addFlagsToHints(f, cmd.Root())
		return t.check(cmd)
	}
	cmd.Flags().VarP(choice{values: backends(), set: func(s string) { t.backend = s }, get: func() string { return t.backend }},
		"backend", "b", i18n.M("Use this compute `BACKEND`: ibm_cf, code_engine, openwhisk or local.").ID)
	complete(cmd, "backend", backends()...)
	asFlag(cmd, &t.as)
	stringFlag(cmd, &t.config, "config", "c", i18n.M("Read the Lithops configuration from `FILE`."))
	stringFlag(cmd, &t.region, "region", "r", i18n.M("Use this `REGION` instead of the targeted one."))
	stringFlag(cmd, &t.resourceGroup, "resource-group", "g", i18n.M("Use the resource `GROUP` with this name or ID."))
	stringFlag(cmd, &t.namespace, "namespace", "", i18n.M("Use this `NAMESPACE` or Code Engine project."))
	stringFlag(cmd, &t.bucket, "bucket", "", i18n.M("Store metadata in this `BUCKET`."))
	stringFlag(cmd, &t.userKey, "user-key", "", i18n.M("Use `KEY` as the user part of package and job names."))
	stringFlag(cmd, &t.python, "python", "", i18n.M("Use the Lithops installed in this `PYTHON`, a version such as 3.11 or a path."))
	stringFlag(cmd, &t.lithops, "lithops", "", i18n.M("Use the Lithops package in the directory `DIR`."))
	complete(cmd, "region", knownRegions()...)
	complete(cmd, "python", pythons()...)
	complete(cmd, "user-key")
	complete(cmd, "bucket")
	complete(cmd, "resource-group")
	_ = cmd.RegisterFlagCompletionFunc("namespace", func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		return f.namespaces(cmd.Context(), t), cobra.ShellCompDirectiveNoFileComp
	})
	_ = cmd.MarkFlagDirname("lithops")
	markCommon(cmd, "backend", "as", "config", "region", "resource-group", "namespace", "bucket", "user-key", "python", "lithops")
}

// backendVariable is the environment variable that sets the default of --backend.
const backendVariable = "FN_RUNTIME_BACKEND"

// chooseBackend sets the backend from the environment variable if the flag is not set.
func (t *targetFlags) chooseBackend(f *Factory) error {
	if t.backend != "" || f.Host.Getenv == nil {
		return nil
	}
	t.backend = f.Host.Getenv(backendVariable)
	if t.backend == "" || slices.Contains(backends(), t.backend) {
		return nil
	}
	return usage(i18n.M("Invalid value '{{.Value}}' for '{{.Flag}}'. {{.Reason}}", "Value", t.backend, "Flag", backendVariable,
		"Reason", i18n.M("Possible values: {{.Values}}.", "Values", strings.Join(backends(), ", "))))
}

// addChanging adds the flags that all commands that change runtimes have in common.
func (t *targetFlags) addChanging(f *Factory, cmd *cobra.Command, dryRun *bool) {
	t.addPlanning(cmd, dryRun)
	t.add(f, cmd)
	t.addJobs(cmd)
	t.addRegions(cmd)
	f.outputFlags(cmd)
}

// addPlanning adds the flags of commands that carry out a plan.
func (t *targetFlags) addPlanning(cmd *cobra.Command, dryRun *bool) {
	boolFlag(cmd, dryRun, "dry-run", "", i18n.M("Show the planned changes without applying them."))
	boolFlag(cmd, &t.detailed, "detailed-exitcode", "", i18n.M("Exit with status 2 if there are changes, or 0 if there are none."))
}

func (t *targetFlags) addJobs(cmd *cobra.Command) {
	countFlag(cmd, &t.jobs, "jobs", "j", maxJobs, i18n.M("Run at most `N` operations in parallel."))
	markCommon(cmd, "jobs")
}

// pythons returns the Python versions that completion offers: those for which Lithops has a default runtime.
func pythons() []string { return []string{"3.10", "3.11", "3.12"} }

func backends() []string {
	return []string{runtime.BackendIBMCF, runtime.BackendCodeEngine, runtime.BackendOpenWhisk, runtime.BackendLocal}
}

// check returns an error for invalid combinations of flags, before any file is read or connection opened.
func (t *targetFlags) check(cmd *cobra.Command) error {
	for _, name := range []string{"config", "region", "resource-group", "namespace", "bucket", "user-key", "python", "lithops"} {
		if fl := cmd.Flags().Lookup(name); fl != nil && fl.Changed && strings.TrimSpace(fl.Value.String()) == "" {
			return usage(i18n.M("The value of '{{.Flag}}' is empty.", "Flag", "--"+name))
		}
	}
	if err := exclusive(cmd, "region", "regions"); err != nil {
		return err
	}
	if t.as != "" && t.backend != runtime.BackendLocal {
		return usage(i18n.M("'{{.Flag}}' is supported only by the backend local.", "Flag", "--as"))
	}
	if t.backend == runtime.BackendLocal || t.backend == runtime.BackendOpenWhisk {
		for _, name := range []string{"region", "regions", "resource-group"} {
			if cmd.Flags().Changed(name) {
				return usage(i18n.M("'{{.Flag}}' is supported only by the backends ibm_cf and code_engine, not by {{.Backend}}.", "Flag", "--"+name, "Backend", t.backend))
			}
		}
	}
	if t.python != "" && !isPath(t.python) && !isVersion(t.python) {
		return usage(i18n.M("'{{.Value}}' is neither a Python version such as 3.11 nor the path of an interpreter.", "Value", t.python))
	}
	return nil
}

// options returns the flags as options of connect.Open, added to the requirements of the command.
func (t *targetFlags) options(need connect.Options) connect.Options {
	o := need
	o.As = t.as
	o.Backend, o.ConfigFile, o.Region, o.ResourceGroup = t.backend, t.config, t.region, t.resourceGroup
	o.Namespace, o.Bucket, o.UserKey = t.namespace, t.bucket, t.userKey
	o.Python, o.LithopsDir, o.Jobs = t.python, t.lithops, t.jobs
	return o
}

// addFlagsToHints makes the view add the current target flags to the commands that messages suggest.
func (t targetFlags) addFlagsToHints(f *Factory, root *cobra.Command) {
	f.View.FlagsFor = func(line string) string { return t.flagsForHint(root, line) }
}

// flagsForHint returns the flags that a suggested command line needs to address the same target: the flags of t that
// the command supports and that line does not contain. It returns "" for a line that specifies a backend.
func (t *targetFlags) flagsForHint(root *cobra.Command, line string) (flags string) {
	words := strings.Fields(line)
	cmd, _, err := root.Find(words)
	if err != nil || slices.ContainsFunc(words, func(w string) bool { return slices.Contains([]string{"-b", "--backend", "--help", "--schema"}, w) }) {
		return ""
	}
	for _, f := range []struct{ name, short, value string }{
		{"backend", "-b", t.backend}, {"as", "", t.as}, {"config", "-c", t.config}, {"region", "-r", t.region}, {"regions", "", strings.Join(t.regions, ",")},
		{"resource-group", "-g", t.resourceGroup}, {"namespace", "", t.namespace}, {"bucket", "", t.bucket}, {"user-key", "", t.userKey},
		{"python", "", t.python}, {"lithops", "", t.lithops},
	} {
		unsuitable := f.name == "config" && cmd.Name() == "lithops-config" || // suggested if this file is missing or invalid
			f.name == "python" && cmd.Name() == "init" && !isVersion(f.value) // init does not accept a path
		if f.value == "" || unsuitable || cmd.Flags().Lookup(f.name) == nil || slices.Contains(words, "--"+f.name) {
			continue
		}
		if strings.Contains(f.value, " ") {
			f.value = `"` + f.value + `"`
		}
		flags += " " + cmp.Or(f.short, "--"+f.name) + " " + f.value
	}
	return flags
}

// pythonVersion returns the value of --python if it is a version. It returns "" if the value is a path.
func (t *targetFlags) pythonVersion() string {
	if isVersion(t.python) {
		return t.python
	}
	return ""
}

func complete(cmd *cobra.Command, flag string, values ...string) {
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
}

func memoryFlag(f *Factory, cmd *cobra.Command, t *targetFlags, list *[]int, text i18n.Message) {
	cmd.Flags().VarP(memoryValue{list}, "memory", "m", text.ID)
	_ = cmd.RegisterFlagCompletionFunc("memory", f.completeMemory(t))
}

// exclusive returns an error if more than one of the named flags is set.
func exclusive(cmd *cobra.Command, names ...string) error {
	first := ""
	for _, name := range names {
		if !cmd.Flags().Changed(name) {
			continue
		}
		if first != "" {
			return contradiction(first, name)
		}
		first = name
	}
	return nil
}

func contradiction(first, second string) error {
	return usage(i18n.M("'{{.First}}' and '{{.Second}}' cannot be used together.", "First", "--"+first, "Second", "--"+second))
}
