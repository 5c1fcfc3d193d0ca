package transport

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

var errEndless = errors.New("endless")

func endless() error { return errEndless }

// pages returns n pages with two items each.
func pages(n int) NextPage[int] {
	i := 0
	return func(context.Context) ([]int, bool, error) {
		i++
		return []int{2 * i, 2*i + 1}, i < n, nil
	}
}

func TestReadAhead(t *testing.T) {
	var got []int
	for v, err := range ReadAhead(t.Context(), pages(3), endless) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, v)
	}
	if len(got) != 6 || got[5] != 7 {
		t.Errorf("got %v", got)
	}
}

func TestReadAheadWhileConsuming(t *testing.T) {
	second := make(chan struct{})
	n := 0
	next := func(context.Context) ([]int, bool, error) {
		if n++; n == 2 {
			close(second)
		}
		return []int{n}, n < 2, nil
	}
	for range ReadAhead(t.Context(), next, endless) {
		<-second // would block if the next page waited for the loop
	}
}

func TestReadAheadEnds(t *testing.T) {
	boom := errors.New("boom")
	failing := func(context.Context) ([]int, bool, error) { return []int{1}, true, boom }
	var last error
	items := 0
	for _, err := range ReadAhead(t.Context(), failing, endless) {
		if last = err; err == nil {
			items++
		}
	}
	if !errors.Is(last, boom) || items != 1 {
		t.Errorf("%v after %d items", last, items)
	}
	for _, err := range ReadAhead(t.Context(), func(context.Context) ([]int, bool, error) { return nil, true, nil }, endless) {
		last = err
	}
	if !errors.Is(last, errEndless) {
		t.Errorf("endless pages end with %v", last)
	}
	for range ReadAhead(t.Context(), pages(1000), endless) {
		break // goleak detects a reader that does not end
	}
	ctx, cancel := context.WithCancel(t.Context())
	last = nil
	for _, err := range ReadAhead(ctx, func(ctx context.Context) ([]int, bool, error) {
		cancel()
		<-ctx.Done()
		return nil, false, ctx.Err()
	}, endless) {
		last = err
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("canceled: %v", last)
	}
}

// The number of entries of a list and the time of waiting for the server are limited. The time that the caller takes to
// process the entries does not count.
func TestReadAheadIsLimited(t *testing.T) {
	full := make([]int, 1000)
	for name, tc := range map[string]struct {
		next NextPage[int]
		read time.Duration // for each item
		most time.Duration // in total
		more bool          // the list must be complete
	}{
		"many entries": {func(context.Context) ([]int, bool, error) { return full, true, nil }, 0, time.Second, false},
		"slow pages": {func(ctx context.Context) ([]int, bool, error) {
			time.Sleep(10 * time.Second)
			return []int{1}, true, nil
		}, 0, MaxListTime + 20*time.Second, false},
		"a page that never comes": {func(ctx context.Context) ([]int, bool, error) {
			<-ctx.Done()
			return nil, false, ctx.Err()
		}, 0, MaxListTime, false},
		"a slow reader": {pages(50), time.Minute, 3 * time.Hour, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start, entries := time.Now(), 0
				var last error
				for _, err := range ReadAhead(t.Context(), tc.next, endless) {
					if last = err; err == nil {
						entries++
						time.Sleep(tc.read)
					}
				}
				if took := time.Since(start); errors.Is(last, errEndless) == tc.more || took > tc.most || entries > MaxListEntries+2*len(full) {
					t.Errorf("%v after %s and %d entries", last, took, entries)
				}
			})
		})
	}
}
