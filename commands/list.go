package commands

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"fn-runtime/i18n"
	"fn-runtime/runtime"
	"fn-runtime/runtime/connect"
)

func newList(f *Factory) *cobra.Command {
	var target targetFlags
	var req runtime.ListRequest
	cmd := &cobra.Command{
		Use: "list [NAME]", Aliases: []string{"ls"}, SuggestFor: []string{"ps", "status", "runtimes", "get"},
		Short: i18n.M("List runtimes and whether the client can use them.").ID,
		Long:  i18n.M("Lists every deployed runtime, with the state it is in for the installed Lithops client. NAME is a part of an image name, or default.").ID,
		Example: example(i18n.M("List all runtimes"), "list") +
			example(i18n.M("List the runtimes of one repository for a script"), "list me/ --output json"),
		Args: arguments(0, 1, i18n.Message{}),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				req.Name = args[0]
			}
			return list(cmd.Context(), f, &target, req)
		},
		ValidArgsFunction: f.completeRuntimes(&target, runtime.DefaultName),
	}
	boolFlag(cmd, &req.AllKeys, "all-keys", "", i18n.M("List the runtimes of every user key."))
	target.add(f, cmd)
	target.addJobs(cmd)
	target.addRegions(cmd)
	f.outputFlags(cmd)
	return cmd
}

// list shows the runtimes of every region as one list; a region that failed is reported after what there is.
func list(ctx context.Context, f *Factory, t *targetFlags, req runtime.ListRequest) error {
	unmatched := 0 // images that are there, where none has the name
	answers := everywhere(ctx, f, t, connect.Options{NeedStore: true, NeedInstall: true, NeedImages: true}, nil,
		func(ctx context.Context, s *runtime.Service, _ confirm) ([]runtime.Runtime, error) {
			all, err := s.List(ctx, req)
			if err == nil && len(all) == 0 && req.Name != "" {
				there, _ := s.Names(ctx) // it only says more
				unmatched += len(there)
			}
			return all, err
		})
	var all []runtime.Runtime
	for _, a := range answers {
		all = append(all, a.value...)
	}
	err := failures(answers)
	if err == nil && req.Name == "" && !req.AllKeys {
		f.remember(seenRuntimes, t, names(all, func(r runtime.Runtime) string { return r.Image }))
		if len(all) > 0 {
			f.remember(seenNamespaces, t, names(all, func(r runtime.Runtime) string { return r.Namespace }))
		}
	}
	switch {
	case err == nil && len(all) == 0 && unmatched > 0 && !f.View.JSON:
		f.View.Say(i18n.M("Runtimes with '{{.Part}}' in their name: 0 of {{.Count}}.", "Count", unmatched, "Part", req.Name))
		return nil
	case err == nil:
		return f.View.Runtimes(all)
	case len(answers) == 1:
		return err
	case len(all) > 0 && !f.View.JSON:
		if err := f.View.Runtimes(all); err != nil {
			return err
		}
	}
	return &partial{cause: err, doc: f.View.RuntimesDocument(all, outcomes(answers))}
}

// names gives what of names in runtimes, each once, for completion.
func names(list []runtime.Runtime, what func(runtime.Runtime) string) []string {
	var all []string
	for _, r := range list {
		if name := what(r); name != "" && !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return all
}
