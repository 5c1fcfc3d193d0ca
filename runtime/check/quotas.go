package check

import (
	"context"
	"errors"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
)

// maxMapCalls is the approximate number of calls that a map can have on Code Engine with a small configuration. The
// data of all workers is passed in one environment variable, which Linux limits to 128 KiB.
const maxMapCalls = 3800

// projectOK returns the successful check of a project.
func (d *Doctor) projectOK() Check {
	return ok(i18n.M("Project {{.Project}}; the user key in job names is {{.Key}} (from {{.From}}). A map can have about {{.Calls}} calls. More calls do not fit in the environment variable that passes them to the workers.",
		"Project", d.Target.Namespace, "Key", d.Contract.UserKey, "From", d.Target.UserKeyFrom, "Calls", maxMapCalls))
}

// quotaReporter is implemented by a compute service that limits the number of objects in a scope.
type quotaReporter interface {
	Usage(ctx context.Context) (entity.Usage, error)
}

// warnPercent is the usage of a quota, in percent, from which the next jobs may be rejected.
const warnPercent = 80

// checkQuotas checks the usage of the quotas of the scope. With Repair, it deletes objects that earlier jobs left,
// because they count toward the quotas and contain keys.
func (d *Doctor) checkQuotas(ctx context.Context) Check {
	of, _ := d.Compute.(quotaReporter)
	u, err := of.Usage(ctx)
	if err != nil {
		return failed(err)
	}
	if len(u.Leftovers) > 0 && d.Repair {
		var failures []error
		for _, leftover := range u.Leftovers {
			failures = append(failures, d.Compute.DeleteResource(ctx, leftover))
		}
		if err := errors.Join(failures...); err != nil {
			return failed(err)
		}
		return Check{Status: Repaired, Finding: i18n.N("{{.Count}} resource left by an earlier job was deleted.", "{{.Count}} resources left by earlier jobs were deleted.", len(u.Leftovers))}
	}
	full, count := false, map[string]int{}
	for _, q := range u.Quotas {
		full = full || q.Used*100 >= q.Limit*warnPercent
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
