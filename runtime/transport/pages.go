package transport

import (
	"context"
	"errors"
	"iter"
	"time"

	"fn-runtime/runtime/fault"
)

// Limits of one list. A server that exceeds them is assumed to be broken or hostile rather than large.
const (
	MaxPages       = 20_000
	MaxListEntries = 100_000         // on all pages
	MaxListBytes   = 256 << 20       // of all responses, for callers that see the bodies
	MaxListTime    = 5 * time.Minute // total time of waiting for the server
)

// NextPage reads the next page. It reports whether another page follows.
type NextPage[T any] func(ctx context.Context) (page []T, more bool, err error)

// ReadAhead returns the items of all pages. It reads the next page while the caller consumes the current one. The
// sequence ends after an error. If a limit is exceeded, the error is the result of endless. ReadAhead never calls next
// concurrently or after the loop has ended.
func ReadAhead[T any](ctx context.Context, next NextPage[T], endless func() error) iter.Seq2[T, error] {
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
			entries, left := 0, MaxListTime
			for n := 0; ; n++ {
				var r result
				if n == MaxPages || entries > MaxListEntries || left <= 0 {
					r = result{err: endless(), last: true}
				} else {
					start := time.Now()
					r.page, r.last, r.err = onePage(ctx, next, left, endless)
					left -= time.Since(start)
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
			for range results { // wait until the reader has closed the channel
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

// onePage reads a page within the remaining time. last is also true if there is an error.
func onePage[T any](ctx context.Context, next NextPage[T], left time.Duration, endless func() error) (page []T, last bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, left)
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
