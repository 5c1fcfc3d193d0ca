package check

import (
	"context"
	"errors"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
)

// callsOfMap is how many calls a map may have on Code Engine with a small configuration: what all workers are told is one
// variable of their environment, and Linux allows it 128 KiB.
const callsOfMap = 3800

// project tells of a project that is in order.
func (d *Doctor) project() Check {
	return ok(i18n.M("Project {{.Project}}; the user key in job names is {{.Key}} (from {{.From}}). A map can have about {{.Calls}} calls. More calls do not fit in the environment variable that passes them to the workers.",
		"Project", d.Target.Namespace, "Key", d.Contract.UserKey, "From", d.Target.UserKeyFrom, "Calls", callsOfMap))
}

// accountant is what a compute service offers that has quotas of what a place may have.
type accountant interface {
	Usage(ctx context.Context) (entity.Usage, error)
}

// nearly is the part of a quota, in percent, from which on the next jobs may be refused.
const nearly = 80

// checkQuotas looks how much of the place's quotas is used, and removes by a repair what earlier jobs have left there: it
// counts, and it holds keys.
func (d *Doctor) checkQuotas(ctx context.Context) Check {
	of, _ := d.Compute.(accountant)
	u, err := of.Usage(ctx)
	if err != nil {
		return failed(err)
	}
	if len(u.Leftovers) > 0 && d.Repair {
		var failures []error
		for _, thing := range u.Leftovers {
			failures = append(failures, d.Compute.DeleteResource(ctx, thing))
		}
		if err := errors.Join(failures...); err != nil {
			return failed(err)
		}
		return Check{Status: Repaired, Finding: i18n.N("{{.Count}} resource left by an earlier job was deleted.", "{{.Count}} resources left by earlier jobs were deleted.", len(u.Leftovers))}
	}
	full, count := false, map[string]int{}
	for _, q := range u.Quotas {
		full = full || q.Used*100 >= q.Limit*nearly
		count[q.Term.Word] = q.Used
	}
	finding := i18n.M("The project has {{.Jobs}} jobs, {{.Runs}} job runs and {{.Maps}} config maps. The quota is 100 of each.",
		"Jobs", count["job"], "Runs", count["job_run"], "Maps", count["config_map"])
	switch remedy := i18n.M("Delete the resources left by earlier jobs with 'ibmcloud fn-runtime doctor --repair', or delete everything with 'ibmcloud fn-runtime clean'."); {
	case len(u.Leftovers) > 0:
		return warning(i18n.N("{{.Count}} resource remains from earlier jobs ({{.Name}}) and may contain keys. {{.Usage}}", "{{.Count}} resources remain from earlier jobs, such as {{.Name}}, and may contain keys. {{.Usage}}",
			len(u.Leftovers), "Name", u.Leftovers[0].Name, "Usage", finding), remedy)
	case full:
		return warning(finding, remedy)
	}
	return ok(finding)
}
