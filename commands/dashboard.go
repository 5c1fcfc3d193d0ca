package commands

import (
	"context"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"fn-runtime/commands/dashboard"
	"fn-runtime/i18n"
	"fn-runtime/runtime"
	"fn-runtime/runtime/atomicfile"
	"fn-runtime/runtime/connect"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/local"
)

func newDashboard(f *Factory) *cobra.Command {
	var target targetFlags
	var req runtime.JobsRequest
	var stay bool
	var file string
	cmd := &cobra.Command{
		Use:   "dashboard [JOB]",
		Short: i18n.M("Show runtimes and running jobs in the browser.").ID,
		Long:  i18n.M("Serves a page on the loopback interface until Ctrl-C and opens it in the browser. The page shows the runtimes and their states, the jobs of the Lithops client, and for each job a timeline of its calls with their logs. The address is valid for one use in one browser. With '--save', the timeline of JOB is written to a file instead.").ID,
		Example: example(i18n.M("Watch the jobs on the local endpoint"), "dashboard -b local") +
			example(i18n.M("Save the timeline of a job for a report"), "dashboard --save timeline.svg a1b2c3-0-M000"),
		Args: arguments(0, 1, i18n.Message{}),
		RunE: func(cmd *cobra.Command, args []string) error {
			job := strings.Join(args, "")
			if file != "" && job == "" {
				return usage(i18n.M("Missing argument: {{.What}}.", "What", i18n.M("the name of a job")))
			}
			if job != "" && !lithops.IsJob(job) {
				return usage(i18n.M("'{{.Job}}' is not a job name. Job names look like a1b2c3-0-M000.", "Job", job))
			}
			if file != "" && !strings.EqualFold(filepath.Ext(file), ".svg") {
				return usage(i18n.M("Timelines are saved as SVG, so the file name must end in .svg. The dashboard page can also save PNG."))
			}
			s, err := f.open(cmd.Context(), &target, connect.Options{NeedStore: true, NeedInstall: true})
			if err != nil {
				return err
			}
			o := f.dashboardOptions(s, req)
			o.First = job
			if file != "" {
				return saveTimeline(cmd.Context(), f, o, job, file)
			}
			s.Observer = nil // do not report progress for each refresh
			return dashboard.Serve(cmd.Context(), o, func(address string) error {
				if !stay {
					openBrowser(f, address)
				}
				return f.View.Dashboard(address)
			})
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	boolFlag(cmd, &stay, "no-open", "", i18n.M("Print the address without opening a browser."))
	stringFlag(cmd, &file, "save", "", i18n.M("Write the timeline of JOB to `FILE` as an SVG image."))
	cmd.Flags().Var(ageValue{&req.Since}, "since", i18n.M("Show jobs from the last `TIME`, such as 7d; the default is 24h.").ID)
	target.add(f, cmd)
	f.outputFlags(cmd)
	return cmd
}

// dashboardOptions returns the options of a dashboard that reads its data from s.
func (f *Factory) dashboardOptions(s *runtime.Service, req runtime.JobsRequest) dashboard.Options {
	o := dashboard.Options{
		Target: s.Target, Format: f.View.Formatter(), Watch: s.WatchJobs(req),
		Runtimes: func(ctx context.Context) ([]runtime.Runtime, error) { return s.List(ctx, runtime.ListRequest{}) },
		Logs: func(ctx context.Context, c entity.Call) (lines []entity.LogLine, err error) {
			err = s.Logs(ctx, runtime.LogsRequest{Activation: c.Activation}, func(l entity.LogLine) error {
				if l.Call == "" || l.Call == c.ID {
					lines = append(lines, l)
				}
				return nil
			})
			return lines, err
		},
	}
	if s.Target.Backend == runtime.BackendLocal {
		o.Load = func(ctx context.Context) (*dashboard.Load, error) {
			l, err := local.QueryLoad(ctx, f.localDir())
			if l == nil || err != nil {
				return nil, err
			}
			return &dashboard.Load{
				Busy: l.Busy, Idle: l.Idle, Waiting: l.Waiting, Computing: l.Computing, Processors: l.Processors, UsedMB: l.UsedMB, BudgetMB: l.BudgetMB,
			}, nil
		}
	}
	return o
}

// saveTimeline writes the timeline of a job to an SVG file.
func saveTimeline(ctx context.Context, f *Factory, o dashboard.Options, job, file string) error {
	picture, err := dashboard.Picture(ctx, o, job)
	switch {
	case err != nil:
		return err
	case picture == nil:
		return runtime.JobNotFound(job)
	}
	if err := atomicfile.Write(file, picture); err != nil {
		return fault.New(fault.Invalid, i18n.M("{{.File}} cannot be written: {{.Error}}.", "File", file, "Error", err.Error()), i18n.Message{}).Because(err)
	}
	return f.View.Timeline(file)
}

// openBrowser opens the address in a browser. Without a browser the user opens the printed address.
func openBrowser(f *Factory, address string) {
	cmd := browserCommand(address)
	if cmd == nil || cmd.Start() != nil {
		f.View.Observer().Note(i18n.M("No browser found. Open the address manually."))
		return
	}
	_ = cmd.Process.Release()
}
