package commands

import (
	"github.com/spf13/cobra"

	"fn-runtime/i18n"
	"fn-runtime/runtime"
	"fn-runtime/runtime/connect"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/text"
)

func newLogs(f *Factory) *cobra.Command {
	var target targetFlags
	var req runtime.LogsRequest
	cmd := &cobra.Command{
		Use:   "logs [default | IMAGE | ACTIVATION]",
		Short: i18n.M("Show the output of calls.").ID,
		Long:  i18n.M("Shows the log lines of calls, each with its time, its runtime, and the job and number of the call. IMAGE is part of an image name. ACTIVATION is the ID that the Lithops client prints when a call fails. Messages of the Lithops worker about its own work are omitted, except warnings. A service provides the log of a call only after the call has ended. IBM Cloud Code Engine keeps no logs itself. For Code Engine, the command shows failures with their reasons, and the output of calls as long as Lithops keeps it in the bucket. With '--output json', each line is a separate JSON object.").ID,
		Example: example(i18n.M("Follow the output of all calls"), "logs --follow") +
			example(i18n.M("Show the output of a job's failed calls"), "logs --job a1b2c3-0-M000 --failed"),
		Args: arguments(0, 1, i18n.Message{}),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := parseLogsArgument(&req, args); err != nil {
				return err
			}
			s, err := f.open(cmd.Context(), &target, connect.Options{NeedStore: true, NeedInstall: req.Runtime == runtime.DefaultName})
			if err != nil {
				return err
			}
			found := false
			err = s.Logs(cmd.Context(), req, func(l entity.LogLine) error {
				found = true
				return f.View.LogLine(l)
			})
			if err == nil && !found && !req.Follow {
				f.View.Observer().Note(i18n.M("No lines found. Pass '--since' to search further back, or '--all' to include messages of the Lithops worker."))
			}
			return err
		},
		ValidArgsFunction: f.completeRuntimes(&target, runtime.DefaultName),
	}
	stringFlag(cmd, &req.Job, "job", "", i18n.M("Show only calls of this `JOB`, or of all jobs of an executor."))
	boolFlag(cmd, &req.Follow, "follow", "f", i18n.M("Follow until Ctrl-C."))
	cmd.Flags().Var(ageValue{&req.Since}, "since", i18n.M("Show lines from the last `TIME`, such as 1h; the default is 10m, or 24h for a job.").ID)
	boolFlag(cmd, &req.Worker, "all", "", i18n.M("Also show the Lithops worker's own messages."))
	boolFlag(cmd, &req.Failed, "failed", "", i18n.M("Show only failed calls."))
	countFlag(cmd, &req.Last, "lines", "n", maxLogLines, i18n.M("Start with the last `N` lines."))
	target.add(f, cmd)
	target.addJobs(cmd)
	f.outputFlags(cmd)
	return cmd
}

// activationID matches the IDs that the Lithops client prints: those of OpenWhisk, and the client's own shorter ones.
var activationID = text.NewPattern(`^([0-9a-f]{32}|[0-9a-f]{12})$`)

// parseLogsArgument sets the filter of the request that the argument selects. It returns a usage error if both the
// argument and --job specify a job.
func parseLogsArgument(req *runtime.LogsRequest, args []string) error {
	if len(args) == 0 {
		return nil
	}
	switch arg := args[0]; {
	case activationID.MatchString(arg):
		req.Activation = arg
	case lithops.IsJob(arg):
		if req.Job != "" {
			return usage(i18n.M("Unexpected argument '{{.Argument}}'.", "Argument", arg))
		}
		req.Job = arg
	default:
		req.Runtime = arg
	}
	return nil
}
