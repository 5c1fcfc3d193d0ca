// Package runtimetest is a compute service and a store in memory, for tests of the operations: they behave like
// OpenWhisk and S3 as far as the ports show them, and fail where a test wants them to.
//
// What may go in: the two fakes and their faults. What may not: expectations, which belong to the tests.
package runtimetest

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"
	"time"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
)

// Hook is asked before and after each request; an error becomes that of the request. After means that the server did
// the work, but the answer was lost.
type Hook func(request string, after bool) error

// Functions is a compute service with one namespace.
type Functions struct {
	mu       sync.Mutex
	packages map[string]bool
	actions  map[string]entity.Action // "package/action"
	runs     map[string]*run
	requests []string

	Spaces []entity.Namespace
	Hook   Hook
	// Run gives what an action answers; nil answers with the metadata of Python 3.11 and Lithops 3.7.0.
	Run func(a entity.Action) entity.Activation
	// Taken answers every creation of a package as if it were there.
	Taken bool
	// Polls is how many looks at an activation find nothing before it is done; 0 answers at once.
	Polls int
	// Now dates what is written.
	Now func() time.Time
}

type run struct {
	polls int
	entity.Activation
}

// NewFunctions makes an empty service.
func NewFunctions() *Functions {
	return &Functions{packages: map[string]bool{}, actions: map[string]entity.Action{}, runs: map[string]*run{}, Now: time.Now}
}

// Requests gives the requests so far, in the order of their arrival.
func (f *Functions) Requests() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.requests)
}

// Forget empties the record of requests.
func (f *Functions) Forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.requests = nil
}

// Put sets an action without a request, in a package that is made for it.
func (f *Functions) Put(a entity.Action) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.packages[a.Package] = true
	f.actions[a.Package+"/"+a.Name] = a
}

// All gives the actions that are there, by "package/action".
func (f *Functions) All() map[string]entity.Action {
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.actions)
}

// PackageNames gives the packages that are there.
func (f *Functions) PackageNames() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Sorted(maps.Keys(f.packages))
}

// do records a request, asks the hook, and does the work between its two questions.
func (f *Functions) do(ctx context.Context, request string, work func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	f.mu.Lock()
	f.requests = append(f.requests, request)
	f.mu.Unlock()
	return hooked(f.Hook, request, func() error {
		f.mu.Lock()
		defer f.mu.Unlock()
		return work()
	})
}

func hooked(hook Hook, request string, work func() error) error {
	if hook != nil {
		if err := hook(request, false); err != nil {
			return err
		}
	}
	if err := work(); err != nil {
		return err
	}
	if hook != nil {
		return hook(request, true)
	}
	return nil
}

// Log adds a line to the record of an activation.
func (f *Functions) Log(id, line string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r := f.runs[id]; r != nil {
		r.Logs = append(r.Logs, line)
	}
}

// NotFound is the error of what is not there.
func NotFound(name string) error { return notFound(name) }

func notFound(name string) error {
	return fault.New(fault.NotFound, i18n.M("{{.Name}} does not exist.", "Name", name), i18n.Message{})
}

// Namespaces implements runtime.Namespaces.
func (f *Functions) Namespaces(ctx context.Context) (all []entity.Namespace, err error) {
	err = f.do(ctx, "GET namespaces", func() error { all = slices.Clone(f.Spaces); return nil })
	return all, err
}

// CreateNamespace implements runtime.Namespaces.
func (f *Functions) CreateNamespace(ctx context.Context, name, _ string) (ns entity.Namespace, err error) {
	err = f.do(ctx, "POST namespace "+name, func() error {
		ns = entity.Namespace{ID: "id-" + name, Name: name}
		f.Spaces = append(f.Spaces, ns)
		return nil
	})
	return ns, err
}

// DeleteNamespace implements runtime.Namespaces.
func (f *Functions) DeleteNamespace(ctx context.Context, id string) error {
	return f.do(ctx, "DELETE namespace "+id, func() error {
		f.Spaces = slices.DeleteFunc(f.Spaces, func(n entity.Namespace) bool { return n.ID == id })
		return nil
	})
}

// pageSize is how many entries a list gives with one request.
const pageSize = 200

// pages gives a sorted list page by page, each with a request of its own.
func pages[T any](ctx context.Context, f *Functions, request string, list func() ([]T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for skip := 0; ; skip += pageSize {
			var page []T
			err := f.do(ctx, fmt.Sprintf("%s skip=%d", request, skip), func() error {
				all, err := list()
				page = all[min(skip, len(all)):min(skip+pageSize, len(all))]
				return err
			})
			if err != nil {
				var zero T
				yield(zero, err)
				return
			}
			for _, v := range page {
				if !yield(v, nil) {
					return
				}
			}
			if len(page) < pageSize {
				return
			}
		}
	}
}

// Packages implements runtime.Packages.
func (f *Functions) Packages(ctx context.Context) iter.Seq2[entity.Package, error] {
	return pages(ctx, f, "LIST packages", func() ([]entity.Package, error) {
		var all []entity.Package
		for _, name := range slices.Sorted(maps.Keys(f.packages)) {
			all = append(all, entity.Package{Name: name})
		}
		return all, nil
	})
}

// CreatePackage implements runtime.Packages.
func (f *Functions) CreatePackage(ctx context.Context, name string) (created bool, err error) {
	err = f.do(ctx, "PUT package "+name, func() error {
		if f.Taken {
			return nil
		}
		created = !f.packages[name]
		f.packages[name] = true
		return nil
	})
	return created, err
}

// DeletePackage implements runtime.Packages: a package with actions is refused.
func (f *Functions) DeletePackage(ctx context.Context, name string) error {
	return f.do(ctx, "DELETE package "+name, func() error {
		if !f.packages[name] {
			return notFound(name)
		}
		for _, a := range f.actions {
			if a.Package == name {
				return fault.New(fault.Conflict, i18n.M("The package is not empty."), i18n.Message{})
			}
		}
		delete(f.packages, name)
		return nil
	})
}

// Actions implements runtime.Actions: lists leave the image out.
func (f *Functions) Actions(ctx context.Context, pkg string) iter.Seq2[entity.Action, error] {
	return pages(ctx, f, "LIST actions "+pkg, func() ([]entity.Action, error) {
		if !f.packages[pkg] {
			return nil, notFound(pkg)
		}
		var all []entity.Action
		for _, key := range slices.Sorted(maps.Keys(f.actions)) {
			if a := f.actions[key]; a.Package == pkg {
				a.Image = ""
				all = append(all, a)
			}
		}
		return all, nil
	})
}

// Action implements runtime.Actions.
func (f *Functions) Action(ctx context.Context, pkg, name string) (a entity.Action, err error) {
	err = f.do(ctx, "GET action "+name, func() error {
		var there bool
		if a, there = f.actions[pkg+"/"+name]; !there {
			return notFound(name)
		}
		return nil
	})
	return a, err
}

// PutAction implements runtime.Actions; the package must be there.
func (f *Functions) PutAction(ctx context.Context, a entity.Action, _ entity.Code) error {
	return f.do(ctx, "PUT action "+a.Name, func() error {
		if !f.packages[a.Package] {
			return notFound(a.Package)
		}
		a.UpdatedAt = f.Now()
		f.actions[a.Package+"/"+a.Name] = a
		return nil
	})
}

// DeleteAction implements runtime.Actions.
func (f *Functions) DeleteAction(ctx context.Context, pkg, name string) error {
	return f.do(ctx, "DELETE action "+name, func() error {
		if _, there := f.actions[pkg+"/"+name]; !there {
			return notFound(name)
		}
		delete(f.actions, pkg+"/"+name)
		return nil
	})
}

// Invoke implements runtime.Invoker.
func (f *Functions) Invoke(ctx context.Context, pkg, name string, _ any) (got entity.Activation, err error) {
	err = f.do(ctx, "POST action "+name, func() error {
		a, there := f.actions[pkg+"/"+name]
		if !there {
			return notFound(name)
		}
		got = Metadata("3.11", "3.7.0")
		if f.Run != nil {
			got = f.Run(a)
		}
		got.ID = fmt.Sprintf("activation-%d", len(f.runs))
		got.Done = true
		f.runs[got.ID] = &run{polls: f.Polls, Activation: got}
		if f.Polls > 0 {
			got = entity.Activation{ID: got.ID}
		}
		return nil
	})
	return got, err
}

// Activation implements runtime.Invoker.
func (f *Functions) Activation(ctx context.Context, id string) (got entity.Activation, err error) {
	err = f.do(ctx, "GET activation "+id, func() error {
		r, there := f.runs[id]
		if there && r.polls > 0 {
			r.polls--
			there = r.polls == 0
		}
		if !there {
			return notFound(id)
		}
		got = r.Activation
		return nil
	})
	return got, err
}

// Metadata is the answer of a runtime in order.
func Metadata(python, lithops string) entity.Activation {
	data, _ := json.Marshal(map[string]any{
		"preinstalls": [][]any{{"numpy", true}, {"six", false}}, "python_version": python, "lithops_version": lithops,
	})
	return entity.Activation{Success: true, Status: "success", Result: data, DurationMS: 120, InitMS: 80, WaitMS: 5}
}

// Broken is the answer of a runtime that fails with an error and a log.
func Broken(message string, logs ...string) entity.Activation {
	data, _ := json.Marshal(map[string]string{"error": message})
	return entity.Activation{Status: "action developer error", StatusCode: 2, Result: data, Logs: logs}
}
