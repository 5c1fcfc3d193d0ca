package transport

import (
	"context"
	"iter"

	"fn-runtime/runtime/fault"
)

// MaxPages bounds the pages of one list: a server that pages without end is untrusted, not patient.
const MaxPages = 20000

// NextPage reads the next page; more tells whether another one follows.
type NextPage[T any] func(ctx context.Context) (page []T, more bool, err error)

// Ahead returns the items of all pages. While one page is consumed, the next is being read. The sequence ends after an
// error, and with endless when there are more than MaxPages pages. next is never called twice at the same time, nor after the
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
			for n := 0; ; n++ {
				var r result
				if n == MaxPages {
					r = result{err: endless(), last: true}
				} else {
					var more bool
					r.err = fault.Try(func() (err error) {
						r.page, more, err = next(ctx)
						return err
					})
					r.last = r.err != nil || !more
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
