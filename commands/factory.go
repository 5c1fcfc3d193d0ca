// Package commands is the command line: a file for each command turns arguments into a request, gives it to the
// runtime.Service and the answer to the view.
//
// How a command runs: plugin makes a Factory and calls Run; Run lets cobra find the command; its RunE checks the
// arguments, opens the service and calls one operation; Run turns the error into words and an exit status.
//
// What may go in: flags, arguments, the order of calls. What may not: HTTP, SDKs, decisions about runtimes, and
// anything about how the answer looks.
package commands

import (
	"context"

	"fn-runtime/commands/view"
	"fn-runtime/runtime"
	"fn-runtime/runtime/connect"
)

// Factory is everything that commands need from outside.
type Factory struct {
	View    *view.View
	Host    connect.Host
	Version string                 // of the plug-in
	Notice  func() (string, error) // what is linked into the program, with the licences
	// Service opens the service of one command: connect.Open.
	Service func(ctx context.Context, o connect.Options) (*runtime.Service, error)
}

// open makes the service for flags of the target; need adds what the command needs.
func (f *Factory) open(ctx context.Context, t *targetFlags, need connect.Options) (*runtime.Service, error) {
	o := t.options(need)
	o.Host = f.Host
	o.Host.Observer = f.View.Observer()
	return f.Service(ctx, o)
}
