package commands

import (
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"fn-runtime/i18n"
	"fn-runtime/runtime"
	"fn-runtime/runtime/connect"
	"fn-runtime/runtime/lithops"
)

func newJobs(f *Factory) *cobra.Command {
	var target targetFlags
	var req runtime.JobsRequest
	var price float64
	cmd := &cobra.Command{
		Use: "jobs [JOB | EXECUTOR]", SuggestFor: []string{"activations", "activation", "job", "progress"},
		Short: i18n.M("Show Lithops jobs and their progress.").ID,
		Long:  i18n.M("Shows Lithops jobs from two sources: the job objects in the bucket, which are deleted when the client has its results, and the service's records of calls. JOB, such as a1b2c3-0-M000, shows one job with its calls, failed calls first, then the slowest. EXECUTOR, such as a1b2c3-0, shows all jobs of an executor. The number of waiting calls is exact on the local endpoint. On other backends, a waiting call is counted only after a later call has started.").ID,
		Example: example(i18n.M("List the jobs of the last day"), "jobs") +
			example(i18n.M("Wait for a job and show its calls"), "jobs a1b2c3-0-M000 --follow"),
		Args: arguments(0, 1, i18n.Message{}),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := f.open(cmd.Context(), &target, connect.Options{NeedStore: true})
			if err != nil {
				return err
			}
			if len(args) == 1 && lithops.IsJob(args[0]) {
				job, err := s.ShowJob(cmd.Context(), args[0], req)
				if err != nil {
					return err
				}
				return f.View.Job(job, price)
			}
			if len(args) == 1 {
				req.Executor = args[0]
			}
			list, err := s.ListJobs(cmd.Context(), req)
			if err != nil {
				return err
			}
			return f.View.Jobs(list, price)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	boolFlag(cmd, &req.Follow, "follow", "f", i18n.M("Wait until no call is waiting or running."))
	cmd.Flags().Var(ageValue{&req.Since}, "since", i18n.M("Show jobs from the last `TIME`, such as 7d; the default is 24h.").ID)
	cmd.Flags().Var(priceValue{&price}, "price", i18n.M("Estimate costs at this `PRICE` per GB-second, such as 0.000017.").ID)
	target.add(f, cmd)
	target.addJobs(cmd)
	f.outputFlags(cmd)
	return cmd
}

// priceValue is a flag value for a price without a currency.
type priceValue struct{ p *float64 }

func (v priceValue) Type() string { return "number" }

func (v priceValue) String() string {
	if v.p == nil || *v.p == 0 {
		return ""
	}
	return strconv.FormatFloat(*v.p, 'f', -1, 64)
}

func (v priceValue) Set(s string) error {
	price, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil || !(price > 0 && price < 1e6) {
		return valueError{i18n.M("A price must be a number such as 0.000017.")}
	}
	*v.p = price
	return nil
}
