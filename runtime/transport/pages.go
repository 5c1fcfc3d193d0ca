package transport

import (
	"context"
	"errors"
	"iter"
	"time"

	"fn-runtime/runtime/fault"
)

// The bounds of one list: a server that goes beyond them has no end, and is untrusted, not large.
const (
	MaxPages       = 20_000
	MaxListEntries = 100_000         // on all pages together
	MaxListBytes   = 256 << 20       // of all answers together, where the caller sees them
	MaxListTime    = 5 * time.Minute // in which the server is waited for
)

// NextPage reads the next page; more tells whether another one follows.
type NextPage[T any] func(ctx context.Context) (page []T, more bool, err error)

// Ahead returns the items of all pages. While one page is consumed, the next is being read. The sequence ends after an
// error, and with endless beyond the bounds. next is never called twice at the same time, nor after the
// loop over the sequence has ended.
func Ahead[T any](ctx context.Context, next NextPage[T], endless func() error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		type result struct {
			page []T
			err  error
			last bool
		}
		results := make(chan result)
		go func() {
			defer close(results)
			entries, patience := 0, MaxListTime
			for n := 0; ; n++ {
				var r result
				if n == MaxPages || entries > MaxListEntries || patience <= 0 {
					r = result{err: endless(), last: true}
				} else {
					asked := time.Now()
					r.page, r.last, r.err = onePage(ctx, next, patience, endless)
					patience -= time.Since(asked)
					entries += len(r.page)
				}
				select {
				case results <- r:
				case <-ctx.Done():
					return
				}
				if r.last {
					return
				}
			}
		}()
		defer func() {
			cancel()
			for range results { // the reader has ended when the channel is closed
			}
		}()
		var none T
		for {
			r, ok := <-results
			if !ok {
				yield(none, context.Cause(ctx))
				return
			}
			for _, item := range r.page {
				if !yield(item, nil) {
					return
				}
			}
			if r.err != nil {
				yield(none, r.err)
				return
			}
			if r.last {
				return
			}
		}
	}
}

// onePage reads a page for as long as patience lasts; last is also true with an error.
func onePage[T any](ctx context.Context, next NextPage[T], patience time.Duration, endless func() error) (page []T, last bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	more := false
	err = fault.Try(func() (err error) {
		page, more, err = next(ctx)
		return err
	})
	if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		err = endless()
	}
	return page, err != nil || !more, err
}
