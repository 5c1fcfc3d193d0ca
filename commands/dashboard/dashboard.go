// Package dashboard is the page that shows what happens: runtimes with their states, and jobs with a timeline of their
// calls. It is served on the loopback interface to one browser.
//
// What may go in: that server, its templates, styles and scripts, and the drawing of timelines. What may not: where the
// data come from, which is a runtime.Service behind Options, and what is done to runtimes: the page changes nothing.
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

// Options say what the page shows, and how.
type Options struct {
	Target runtime.Target
	Format view.Formatter
	First  string // the job that is shown first; "" is the newest

	Watch    Watch
	Runtimes func(ctx context.Context) ([]runtime.Runtime, error)
	// Logs gives the lines that a call wrote.
	Logs func(ctx context.Context, call entity.Call) ([]entity.LogLine, error)
	// Load returns what the workers are busy with, nil when nobody knows; it is nil itself for other targets than the local
	// endpoint.
	Load func(ctx context.Context) (*Load, error)
}

// Load is what the workers of the local endpoint are busy with.
type Load struct {
	Busy, Idle, Waiting   int // workers, and calls without one
	Computing, Processors int
	UsedMB, BudgetMB      int // limits of the workers together, and what they may come to
}

// Serve serves the page on a free port of the loopback interface until ctx ends, and is nil then. It calls ready with the
// address to open, which is good once, and ends with its error.
func Serve(ctx context.Context, o Options, ready func(address string) error) error {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	g := newGuard(l.Addr().String())
	s := newServer(o)
	ctx, stop := context.WithCancel(ctx)
	h := &http.Server{
		Handler:           g.around(s, http.HandlerFunc(s.denied), http.HandlerFunc(s.opened)),
		ReadHeaderTimeout: 10 * time.Second,
		MaxHeaderBytes:    64 << 10,
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	var reading sync.WaitGroup
	reading.Go(func() { s.feed.run(ctx) })
	defer reading.Wait()
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
		stop() // pages that are open wait for news
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
