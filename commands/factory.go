// Package commands implements the command line. Each command has its own file, which parses the arguments into a
// request, passes the request to runtime.Service and the result to the view.
//
// Package plugin creates a Factory and calls Run. Cobra selects the command. The RunE function of the command checks
// the arguments, opens the service and calls one operation. Run prints the error, if any, and returns the exit status.
//
// The package contains flags, arguments and the order of calls. It does not contain HTTP, SDKs, decisions about
// runtimes or the formatting of output.
package commands

import (
	"context"

	"fn-runtime/commands/view"
	"fn-runtime/runtime"
	"fn-runtime/runtime/connect"
)

// Factory holds the dependencies of the commands.
type Factory struct {
	View    *view.View
	Host    connect.Host
	Version string                 // of the plug-in
	Notice  func() (string, error) // returns the linked modules with their licenses
	// Service opens the service for one command. It is connect.Open except in tests.
	Service func(ctx context.Context, o connect.Options) (*runtime.Service, error)
}

// open opens the service that the target flags select. need holds the requirements of the command.
func (f *Factory) open(ctx context.Context, t *targetFlags, need connect.Options) (*runtime.Service, error) {
	o := t.options(need)
	o.Host = f.Host
	o.Host.Observer = f.View.Observer()
	return f.Service(ctx, o)
}
