package transport

import (
	"context"
	"errors"
	"testing"
)

var errEndless = errors.New("endless")

func endless() error { return errEndless }

// numbered gives n pages of two items each.
func numbered(n int) NextPage[int] {
	i := 0
	return func(context.Context) ([]int, bool, error) {
		i++
		return []int{2 * i, 2*i + 1}, i < n, nil
	}
}

func TestAhead(t *testing.T) {
	var got []int
	for v, err := range Ahead(t.Context(), numbered(3), endless) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, v)
	}
	if len(got) != 6 || got[5] != 7 {
		t.Errorf("got %v", got)
	}
}

func TestAheadReadsWhileConsuming(t *testing.T) {
	second := make(chan struct{})
	n := 0
	next := func(context.Context) ([]int, bool, error) {
		if n++; n == 2 {
			close(second)
		}
		return []int{n}, n < 2, nil
	}
	for range Ahead(t.Context(), next, endless) {
		<-second // would never come if the next page waited for the loop
	}
}

func TestAheadEnds(t *testing.T) {
	boom := errors.New("boom")
	failing := func(context.Context) ([]int, bool, error) { return []int{1}, true, boom }
	var last error
	items := 0
	for _, err := range Ahead(t.Context(), failing, endless) {
		if last = err; err == nil {
			items++
		}
	}
	if !errors.Is(last, boom) || items != 1 {
		t.Errorf("%v after %d items", last, items)
	}
	for _, err := range Ahead(t.Context(), func(context.Context) ([]int, bool, error) { return nil, true, nil }, endless) {
		last = err
	}
	if !errors.Is(last, errEndless) {
		t.Errorf("endless pages end with %v", last)
	}
	for range Ahead(t.Context(), numbered(1000), endless) {
		break // goleak sees whether the reader ends, too
	}
	ctx, cancel := context.WithCancel(t.Context())
	last = nil
	for _, err := range Ahead(ctx, func(ctx context.Context) ([]int, bool, error) {
		cancel()
		<-ctx.Done()
		return nil, false, ctx.Err()
	}, endless) {
		last = err
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("cancelled: %v", last)
	}
}
