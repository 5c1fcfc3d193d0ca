// Package dashboard serves a web page that shows runtimes with their states, and jobs with a timeline of their calls.
// The page is served on the loopback interface to one browser.
//
// The package contains the server, its templates, styles and scripts, and the drawing of timelines. The functions in
// Options read the data from a runtime.Service. The page is read-only.
package dashboard

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	"fn-runtime/commands/view"
	"fn-runtime/runtime"
	"fn-runtime/runtime/entity"
)

// Options holds the data sources and settings of the page.
type Options struct {
	Target runtime.Target
	Format view.Formatter
	First  string // the job that is shown first; "" for the newest

	Watch    Watch
	Runtimes func(ctx context.Context) ([]runtime.Runtime, error)
	// Logs returns the log lines of a call.
	Logs func(ctx context.Context, call entity.Call) ([]entity.LogLine, error)
	// Load returns the load of the local endpoint, or nil if it is unknown. The function is nil for other targets.
	Load func(ctx context.Context) (*Load, error)
}

// Load is the load of the local endpoint.
type Load struct {
	Busy, Idle, Waiting   int // busy workers, idle workers, and calls waiting for a worker
	Computing, Processors int // processors in use, and all processors
	UsedMB, BudgetMB      int // sum of the memory limits of the workers, and its maximum
}

// Serve serves the page on a free port of the loopback interface until ctx is done, and then returns nil. It calls
// ready with the address of the page, which is valid for one use. If ready fails, Serve returns the error of ready.
func Serve(ctx context.Context, o Options, ready func(address string) error) error {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	g := newGuard(l.Addr().String())
	s := newServer(o)
	ctx, stop := context.WithCancel(ctx)
	h := &http.Server{
		Handler:           g.wrap(s, http.HandlerFunc(s.denied), http.HandlerFunc(s.opened)),
		ReadHeaderTimeout: 10 * time.Second,
		MaxHeaderBytes:    64 << 10,
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	var feed sync.WaitGroup
	feed.Go(func() { s.feed.run(ctx) })
	defer feed.Wait()
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- h.Serve(l) }()
	if err := ready(g.address()); err != nil {
		stop()
		return errors.Join(err, h.Close(), ignoreClosed(<-ended))
	}
	select {
	case err = <-ended:
	case <-ctx.Done():
		stop() // ends the event streams of open pages
		err = errors.Join(h.Close(), ignoreClosed(<-ended))
	}
	return err
}

func ignoreClosed(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
