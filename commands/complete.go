package commands

import (
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"fn-runtime/i18n"
	"fn-runtime/runtime"
	"fn-runtime/runtime/connect"
	"fn-runtime/runtime/lithops"
)

// patience is how long completion waits for a service or an engine. With the start of the process it stays below the
// 200 ms that a person takes for at once.
const patience = 100 * time.Millisecond

// within returns what work comes to, or false when it fails or is not done in time.
func within[T any](ctx context.Context, limit time.Duration, work func(context.Context) (T, error)) (value T, ok bool) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	answer := make(chan T, 1)
	go func() {
		defer close(answer)
		if v, err := work(ctx); err == nil {
			answer <- v
		}
	}()
	select {
	case value, ok = <-answer:
	case <-ctx.Done():
	}
	return value, ok
}

// completeRuntimes completes the first argument with fixed words and the runtimes that are deployed.
func (f *Factory) completeRuntimes(t *targetFlags, fixed ...string) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return append(slices.Clone(fixed), f.deployed(cmd.Context(), t)...), cobra.ShellCompDirectiveNoFileComp
	}
}

// completeImages completes the first argument with fixed words and the images of this machine's engine; dir tells that
// folders follow.
func (f *Factory) completeImages(dir bool, fixed ...string) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		switch {
		case len(args) == 1 && dir:
			return nil, cobra.ShellCompDirectiveFilterDirs
		case len(args) > 0 || f.Service == nil:
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		images, _ := within(cmd.Context(), patience, func(ctx context.Context) ([]string, error) {
			return connect.LocalImages(ctx, f.Host)
		})
		return append(slices.Clone(fixed), completable(images)...), cobra.ShellCompDirectiveNoFileComp
	}
}

// deployed returns the runtimes of the target: as the service says where it answers at once, else as earlier commands and
// completions saw them.
func (f *Factory) deployed(ctx context.Context, t *targetFlags) []string {
	if f.Service == nil {
		return nil
	}
	names, ok := within(ctx, patience, func(ctx context.Context) ([]string, error) {
		s, err := f.passive(ctx, t)
		if err != nil {
			return nil, err
		}
		return s.Names(ctx)
	})
	if !ok {
		return completable(f.recall(seenRuntimes, t))
	}
	f.remember(seenRuntimes, t, names)
	return completable(names)
}

// completeMemory completes a memory size with the usual ones in MB: those that the service takes, where it says so at once.
func (f *Factory) completeMemory(t *targetFlags) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		sizes := []int{256, 512, 1024, 2048}
		if f.Service != nil {
			limits, ok := within(cmd.Context(), patience, func(ctx context.Context) (lithops.Limits, error) {
				s, err := f.passive(ctx, t)
				if err != nil {
					return lithops.Limits{}, err
				}
				return s.Limits(ctx), nil
			})
			sizes = slices.DeleteFunc(sizes, func(mb int) bool { return ok && limits.CheckMemory(mb) != nil })
		}
		words := []string{}
		for _, mb := range sizes {
			words = append(words, strconv.Itoa(mb))
		}
		return words, cobra.ShellCompDirectiveNoFileComp
	}
}

// passive opens a service that only looks and says nothing.
func (f *Factory) passive(ctx context.Context, t *targetFlags) (*runtime.Service, error) {
	if err := t.chooseBackend(f); err != nil {
		return nil, err
	}
	o := t.options(connect.Options{Passive: true})
	o.Host = f.Host
	o.Host.Observer = nil
	return f.Service(ctx, o)
}

// namespaces returns those of the service, as it says where it answers at once, else as they were seen; and those that the client's cache knows.
func (f *Factory) namespaces(ctx context.Context, t *targetFlags) []string {
	if f.Service == nil {
		return nil
	}
	backend := lithops.IBMCF
	if t.backend == runtime.BackendCodeEngine {
		backend = lithops.CodeEngine
	}
	names := lithops.Cache{Dir: lithops.CacheDir(f.Host.Home)}.Namespaces(backend)
	found, ok := within(ctx, patience, func(ctx context.Context) (names []string, err error) {
		s, err := f.passive(ctx, t)
		if err != nil {
			return nil, err
		}
		all, err := s.Compute.Scopes(ctx)
		for _, n := range all {
			names = append(names, n.Name)
		}
		return names, err
	})
	if ok {
		f.remember(seenNamespaces, t, found)
	} else {
		found = f.recall(seenNamespaces, t)
	}
	names = append(names, found...)
	slices.Sort(names)
	return completable(slices.Compact(names))
}

// word is what a shell takes as it stands: servers choose these names.
var word = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.:/@+-]*$`)

// completable leaves out what must not reach a command line.
func completable(names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(s string) bool { return !word.MatchString(s) })
}

// Completing reports whether the arguments are a shell's question for completions.
func Completing(args []string) bool {
	return len(args) > 0 && strings.HasPrefix(args[0], cobra.ShellCompRequestCmd)
}

// translate puts the descriptions that shells show beside candidates into the user's language.
func translate(texts *i18n.Catalogue, cmd *cobra.Command) {
	cmd.Short = texts.Say(i18n.M(cmd.Short))
	cmd.Flags().VisitAll(func(fl *pflag.Flag) { fl.Usage = strings.ReplaceAll(texts.Say(i18n.M(fl.Usage)), "`", "") })
	for _, sub := range cmd.Commands() {
		translate(texts, sub)
	}
}

// words completes the first argument.
func words(list ...string) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return list, cobra.ShellCompDirectiveNoFileComp
	}
}
