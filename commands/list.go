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

// listOptions holds the values of the flags of list.
type listOptions struct {
	target targetFlags
	req    runtime.ListRequest
	sortBy string // a key of sortOrders
	watch  bool
	quiet  bool // print only the names
}

func newList(f *Factory) *cobra.Command {
	o := &listOptions{sortBy: "name"}
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
			o.quiet = cmd.Flags().Changed("quiet") && f.View.Quiet && !f.View.JSON
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
	keys := slices.Sorted(maps.Keys(sortOrders))
	cmd.Flags().Var(choice{values: keys, set: func(s string) { o.sortBy = s }, get: func() string { return o.sortBy }},
		"sort-by", i18n.M("Sort by this `KEY`: name, memory, state or updated.").ID)
	complete(cmd, "sort-by", keys...)
	boolFlag(cmd, &o.watch, "watch", "w", i18n.M("Show the list again whenever it changes, until Ctrl-C."))
	o.target.add(f, cmd)
	o.target.addJobs(cmd)
	o.target.addRegions(cmd)
	f.outputFlags(cmd)
	return cmd
}

// sortOrders maps the values of --sort-by to comparison functions. The sort is stable: equal runtimes stay sorted by
// name, memory and release.
var sortOrders = map[string]func(a, b runtime.Runtime) int{
	"name":    func(a, b runtime.Runtime) int { return 0 },
	"memory":  func(a, b runtime.Runtime) int { return a.MemoryMB - b.MemoryMB },
	"state":   func(a, b runtime.Runtime) int { return strings.Compare(string(a.State), string(b.State)) },
	"updated": func(a, b runtime.Runtime) int { return b.UpdatedAt.Compare(a.UpdatedAt) },
}

// listing holds the runtimes of all regions.
type listing struct {
	runtimes []runtime.Runtime
	others   int // number of deployed images, if none of them matches the name
	regions  []view.Region
	err      error
}

// list reads the runtimes of all regions and updates the completion cache.
func list(ctx context.Context, f *Factory, o *listOptions) listing {
	var others atomic.Int64
	results := forEachRegion(ctx, f, &o.target, connect.Options{NeedStore: true, NeedInstall: true, NeedImages: true}, nil,
		func(ctx context.Context, s *runtime.Service, _ confirm) ([]runtime.Runtime, error) {
			all, err := s.List(ctx, o.req)
			if err == nil && len(all) == 0 && o.req.Name != "" {
				deployed, _ := s.Names(ctx) // an error only makes the message less specific
				others.Add(int64(len(deployed)))
			}
			return all, err
		})
	l := listing{err: joinErrors(results), regions: regionOutcomes(results)}
	for _, r := range results {
		l.runtimes = append(l.runtimes, r.value...)
	}
	l.others = int(others.Load())
	if l.err == nil && o.req.Name == "" && !o.req.AllKeys {
		f.cacheNames(cachedRuntimes, &o.target, uniqueNames(l.runtimes, func(r runtime.Runtime) string { return r.Image }))
		if len(l.runtimes) > 0 {
			f.cacheNames(cachedNamespaces, &o.target, uniqueNames(l.runtimes, func(r runtime.Runtime) string { return r.Namespace }))
		}
	}
	slices.SortStableFunc(l.runtimes, sortOrders[o.sortBy])
	return l
}

// showList shows the runtimes of all regions as one list. It reports failed regions after the list.
func showList(f *Factory, o *listOptions, l listing) error {
	show := f.View.Runtimes
	if o.quiet {
		show = f.View.RuntimeNames
	}
	switch {
	case l.err == nil && len(l.runtimes) == 0 && l.others > 0 && !o.quiet && !f.View.JSON:
		f.View.Print(i18n.M("No runtime name contains '{{.Part}}' (total runtimes: {{.Count}}).", "Count", l.others, "Part", o.req.Name))
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

// watchInterval is how long list --watch waits before it reads the list again.
const watchInterval = 2 * time.Second

// watchList shows the list each time it changes, until ctx is done.
func watchList(ctx context.Context, f *Factory, o *listOptions) error {
	var last []runtime.Runtime
	for first := true; ; first = false {
		l := list(ctx, f, o)
		if ctx.Err() != nil {
			return nil
		}
		if first || l.err != nil || !reflect.DeepEqual(last, l.runtimes) {
			f.View.Redraw(first)
			if err := showList(f, o, l); err != nil {
				return err
			}
		}
		last = l.runtimes
		f.View.Quiet = true // do not report progress for each refresh
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(watchInterval):
		}
	}
}

// uniqueNames returns the non-empty values of name for the runtimes, without duplicates.
func uniqueNames(list []runtime.Runtime, name func(runtime.Runtime) string) []string {
	var all []string
	for _, r := range list {
		if n := name(r); n != "" && !slices.Contains(all, n) {
			all = append(all, n)
		}
	}
	return all
}
