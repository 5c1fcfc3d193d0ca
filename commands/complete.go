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

// completionTimeout is how long completion waits for a service or a container engine. With the start of the process, a
// completion takes less than 200 ms, which users perceive as immediate.
const completionTimeout = 100 * time.Millisecond

// withTimeout returns the result of work. It returns false if work fails or does not end within the limit.
func withTimeout[T any](ctx context.Context, limit time.Duration, work func(context.Context) (T, error)) (value T, ok bool) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	result := make(chan T, 1)
	go func() {
		defer close(result)
		if v, err := work(ctx); err == nil {
			result <- v
		}
	}()
	select {
	case value, ok = <-result:
	case <-ctx.Done():
	}
	return value, ok
}

// completeRuntimes completes the first argument with fixed words and the deployed runtimes.
func (f *Factory) completeRuntimes(t *targetFlags, fixed ...string) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return append(slices.Clone(fixed), f.deployedNames(cmd.Context(), t)...), cobra.ShellCompDirectiveNoFileComp
	}
}

// completeImages completes the first argument with fixed words and the images of the container engine on this machine.
// If dir is true, it completes the second argument with directories.
func (f *Factory) completeImages(dir bool, fixed ...string) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		switch {
		case len(args) == 1 && dir:
			return nil, cobra.ShellCompDirectiveFilterDirs
		case len(args) > 0 || f.Service == nil:
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		images, _ := withTimeout(cmd.Context(), completionTimeout, func(ctx context.Context) ([]string, error) {
			return connect.LocalImages(ctx, f.Host)
		})
		return append(slices.Clone(fixed), shellSafeNames(images)...), cobra.ShellCompDirectiveNoFileComp
	}
}

// deployedNames returns the names of the runtimes of the target. If the service does not respond within
// completionTimeout, it returns the names that earlier commands and completions cached.
func (f *Factory) deployedNames(ctx context.Context, t *targetFlags) []string {
	if f.Service == nil {
		return nil
	}
	names, ok := withTimeout(ctx, completionTimeout, func(ctx context.Context) ([]string, error) {
		s, err := f.openPassive(ctx, t)
		if err != nil {
			return nil, err
		}
		return s.Names(ctx)
	})
	if !ok {
		return shellSafeNames(f.loadNames(cachedRuntimes, t))
	}
	f.cacheNames(cachedRuntimes, t, names)
	return shellSafeNames(names)
}

// completeMemory completes a memory size with common sizes in MB. It omits the sizes that the service does not accept,
// if the service returns its limits within completionTimeout.
func (f *Factory) completeMemory(t *targetFlags) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		sizes := []int{256, 512, 1024, 2048}
		if f.Service != nil {
			limits, ok := withTimeout(cmd.Context(), completionTimeout, func(ctx context.Context) (lithops.Limits, error) {
				s, err := f.openPassive(ctx, t)
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

// openPassive opens a service that only reads and reports no progress.
func (f *Factory) openPassive(ctx context.Context, t *targetFlags) (*runtime.Service, error) {
	if err := t.chooseBackend(f); err != nil {
		return nil, err
	}
	o := t.options(connect.Options{Passive: true})
	o.Host = f.Host
	o.Host.Observer = nil
	return f.Service(ctx, o)
}

// namespaces returns the namespaces in the client's cache and those of the service. If the service does not respond
// within completionTimeout, it uses the namespaces that earlier commands and completions cached.
func (f *Factory) namespaces(ctx context.Context, t *targetFlags) []string {
	if f.Service == nil {
		return nil
	}
	backend := lithops.IBMCF
	if t.backend == runtime.BackendCodeEngine {
		backend = lithops.CodeEngine
	}
	names := lithops.Cache{Dir: lithops.CacheDir(f.Host.Home)}.Namespaces(backend)
	listed, ok := withTimeout(ctx, completionTimeout, func(ctx context.Context) (names []string, err error) {
		s, err := f.openPassive(ctx, t)
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
		f.cacheNames(cachedNamespaces, t, listed)
	} else {
		listed = f.loadNames(cachedNamespaces, t)
	}
	names = append(names, listed...)
	slices.Sort(names)
	return shellSafeNames(slices.Compact(names))
}

// shellSafe matches names that need no quoting in a shell. The names are chosen by servers and cannot be trusted.
var shellSafe = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.:/@+-]*$`)

// shellSafeNames returns the names that are safe to put on a command line.
func shellSafeNames(names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(s string) bool { return !shellSafe.MatchString(s) })
}

// Completing reports whether the arguments are a completion request of a shell.
func Completing(args []string) bool {
	return len(args) > 0 && strings.HasPrefix(args[0], cobra.ShellCompRequestCmd)
}

// translate translates the descriptions that shells show next to completions.
func translate(texts *i18n.Catalog, cmd *cobra.Command) {
	cmd.Short = texts.Translate(i18n.M(cmd.Short))
	cmd.Flags().VisitAll(func(fl *pflag.Flag) { fl.Usage = strings.ReplaceAll(texts.Translate(i18n.M(fl.Usage)), "`", "") })
	for _, sub := range cmd.Commands() {
		translate(texts, sub)
	}
}

// completeFirst completes the first argument with a fixed list.
func completeFirst(list ...string) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return list, cobra.ShellCompDirectiveNoFileComp
	}
}
