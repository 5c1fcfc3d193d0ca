package commands

import (
	"context"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"fn-runtime/commands/view"
	"fn-runtime/i18n"
	"fn-runtime/runtime"
	"fn-runtime/runtime/connect"
)

// listOptions are the flags of list.
type listOptions struct {
	target targetFlags
	req    runtime.ListRequest
	by     string // the order, one of orders
	watch  bool
	names  bool // nothing but these
}

func newList(f *Factory) *cobra.Command {
	o := &listOptions{by: "name"}
	cmd := &cobra.Command{
		Use: "list [NAME]", Aliases: []string{"ls"}, SuggestFor: []string{"ps", "status", "runtimes", "get"},
		Short: i18n.M("List runtimes and whether the client can use them.").ID,
		Long:  i18n.M("Lists every deployed runtime with its state for the installed Lithops client. NAME is part of an image name, or default. With '-q', the command lists only the names, each once.").ID,
		Example: example(i18n.M("List all runtimes"), "list") +
			example(i18n.M("List the runtimes of one repository for a script"), "list me/ --output json") +
			example(i18n.M("Watch the runtimes, the most recently updated first"), "list --watch --sort-by updated"),
		Args: arguments(0, 1, i18n.Message{}),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				o.req.Name = args[0]
			}
			o.names = cmd.Flags().Changed("quiet") && f.View.Quiet && !f.View.JSON
			if o.watch && f.View.JSON && !f.View.Filtered() {
				return contradiction("watch", "output")
			}
			if o.watch {
				return watchList(cmd.Context(), f, o)
			}
			return showList(f, o, list(cmd.Context(), f, o))
		},
		ValidArgsFunction: f.completeRuntimes(&o.target, runtime.DefaultName),
	}
	boolFlag(cmd, &o.req.AllKeys, "all-keys", "", i18n.M("List the runtimes of every user key."))
	by := slices.Sorted(maps.Keys(orders))
	cmd.Flags().Var(choice{values: by, set: func(s string) { o.by = s }, get: func() string { return o.by }},
		"sort-by", i18n.M("Sort by this `KEY`: name, memory, state or updated.").ID)
	complete(cmd, "sort-by", by...)
	boolFlag(cmd, &o.watch, "watch", "w", i18n.M("Show the list again whenever it changes, until Ctrl-C."))
	o.target.add(f, cmd)
	o.target.addJobs(cmd)
	o.target.addRegions(cmd)
	f.outputFlags(cmd)
	return cmd
}

// orders are what a list can be sorted by. Those that are equal stay as they are: by name, memory and release.
var orders = map[string]func(a, b runtime.Runtime) int{
	"name":    func(a, b runtime.Runtime) int { return 0 },
	"memory":  func(a, b runtime.Runtime) int { return a.MemoryMB - b.MemoryMB },
	"state":   func(a, b runtime.Runtime) int { return strings.Compare(string(a.State), string(b.State)) },
	"updated": func(a, b runtime.Runtime) int { return b.UpdatedAt.Compare(a.UpdatedAt) },
}

// listing is what a look at the runtimes of every region came to.
type listing struct {
	runtimes []runtime.Runtime
	others   int // images that are there, where none has the name
	regions  []view.Region
	err      error
}

func list(ctx context.Context, f *Factory, o *listOptions) listing {
	var others atomic.Int64
	answers := everywhere(ctx, f, &o.target, connect.Options{NeedStore: true, NeedInstall: true, NeedImages: true}, nil,
		func(ctx context.Context, s *runtime.Service, _ confirm) ([]runtime.Runtime, error) {
			all, err := s.List(ctx, o.req)
			if err == nil && len(all) == 0 && o.req.Name != "" {
				there, _ := s.Names(ctx) // it only says more
				others.Add(int64(len(there)))
			}
			return all, err
		})
	l := listing{err: failures(answers), regions: outcomes(answers)}
	for _, a := range answers {
		l.runtimes = append(l.runtimes, a.value...)
	}
	l.others = int(others.Load())
	if l.err == nil && o.req.Name == "" && !o.req.AllKeys {
		f.remember(seenRuntimes, &o.target, names(l.runtimes, func(r runtime.Runtime) string { return r.Image }))
		if len(l.runtimes) > 0 {
			f.remember(seenNamespaces, &o.target, names(l.runtimes, func(r runtime.Runtime) string { return r.Namespace }))
		}
	}
	slices.SortStableFunc(l.runtimes, orders[o.by])
	return l
}

// showList shows the runtimes of every region as one list; a region that failed is reported after what there is.
func showList(f *Factory, o *listOptions, l listing) error {
	show := f.View.Runtimes
	if o.names {
		show = f.View.RuntimeNames
	}
	switch {
	case l.err == nil && len(l.runtimes) == 0 && l.others > 0 && !o.names && !f.View.JSON:
		f.View.Say(i18n.M("No runtime name contains '{{.Part}}' (total runtimes: {{.Count}}).", "Count", l.others, "Part", o.req.Name))
		return nil
	case l.err == nil:
		return show(l.runtimes)
	case len(l.regions) == 0:
		return l.err
	case len(l.runtimes) > 0 && !f.View.JSON:
		if err := show(l.runtimes); err != nil {
			return err
		}
	}
	return &partial{cause: l.err, doc: f.View.RuntimesDocument(l.runtimes, l.regions)}
}

// watchEvery is how long list --watch waits between two looks.
const watchEvery = 2 * time.Second

// watchList shows the list whenever it has changed, until ctx ends.
func watchList(ctx context.Context, f *Factory, o *listOptions) error {
	var last []runtime.Runtime
	for first := true; ; first = false {
		l := list(ctx, f, o)
		if ctx.Err() != nil {
			return nil
		}
		if first || l.err != nil || !reflect.DeepEqual(last, l.runtimes) {
			f.View.Again(first)
			if err := showList(f, o, l); err != nil {
				return err
			}
		}
		last = l.runtimes
		f.View.Quiet = true // what is done for the next look goes without saying
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(watchEvery):
		}
	}
}

// names returns what of names in runtimes, each once, for completion.
func names(list []runtime.Runtime, what func(runtime.Runtime) string) []string {
	var all []string
	for _, r := range list {
		if name := what(r); name != "" && !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return all
}
