package storage

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/parallel"
)

// How much a purge does side by side. With 50 ms a request the time goes into listing, which is therefore spread over
// spans of keys; 32 batches of 1000 keys keep up with it.
const (
	listers    = 16
	deleters   = 32
	batchSize  = 1000 // the most that DeleteObjects takes
	passes     = 5    // over a prefix until nothing is left
	maxReasons = 100  // see entity.Purged
)

// The bounds of what one purge lists. Nothing of it is kept, so that they are wide; a page counts as a share of what it
// could hold even when it is empty. What was deleted by then stays deleted: the next run goes on from there.
const (
	maxListed   = 20_000_000
	emptyPage   = 100
	maxListTime = 2 * time.Hour
)

// purge is one run of Purge.
type purge struct {
	store     *Store
	sweep     entity.Sweep
	prefixes  []string
	started   time.Time
	versioned func() (bool, error)

	listed atomic.Int64

	mu      sync.Mutex
	seen    int
	deleted int
	bytes   int64
	uploads int
	reasons []string
}

// item is one object, version or delete marker to delete.
type item struct {
	key     string
	version string
	size    int64
	changed time.Time
}

// Purge deletes every object that sweep selects, with all versions where the bucket is versioned, and aborts unfinished
// multipart uploads. Listing and deleting overlap, and memory stays flat however many objects there are. Afterwards the
// prefixes are listed again: a repeated DeleteObjects may answer 200 and leave keys behind. What is counted is true also
// when an error is returned. A bucket that is not there has no objects.
func (s *Store) Purge(ctx context.Context, sweep entity.Sweep) (entity.Purged, error) {
	if err := s.ready(ctx); err != nil {
		return entity.Purged{}, err
	}
	prefixes, err := exact(sweep.Prefixes)
	if err != nil {
		return entity.Purged{}, err
	}
	p := &purge{store: s, sweep: sweep, prefixes: prefixes, started: time.Now()}
	p.versioned = sync.OnceValues(func() (bool, error) { return s.versioned(ctx, p.inTime) })
	if !sweep.OlderThan.IsZero() { // nothing is judged by a clock that is wrong
		if _, err := p.versioned(); err != nil && !fault.Is(err, fault.NotFound) {
			return entity.Purged{}, err
		}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, maxListTime, s.endless())
	defer cancel()
	var g errgroup.Group // without a context: a failure of one part must not hide what the other has done
	var objectsErr, uploadsErr error
	g.Go(func() error { objectsErr = fault.Try(func() error { return p.objects(ctx) }); return nil })
	g.Go(func() error { uploadsErr = fault.Try(func() error { return p.abortUploads(ctx) }); return nil })
	_ = g.Wait()
	for _, err := range []error{objectsErr, uploadsErr} {
		if err != nil && !fault.Is(err, fault.NotFound) {
			return p.result(), err
		}
	}
	return p.result(), nil
}

// page counts what a page has listed; the error is that of a listing beyond its bounds.
func (p *purge) page(entries int) error {
	if p.listed.Add(int64(max(entries, emptyPage))) > maxListed {
		return p.store.endless()
	}
	return nil
}

func (p *purge) result() entity.Purged {
	p.mu.Lock()
	defer p.mu.Unlock()
	return entity.Purged{Seen: p.seen, Deleted: max(0, p.deleted), Bytes: p.bytes, Uploads: p.uploads, Failed: slices.Clone(p.reasons)}
}

// exact refuses prefixes that could touch a neighbour, and leaves out those that another one covers.
func exact(prefixes []string) ([]string, error) {
	sorted := slices.Sorted(slices.Values(prefixes))
	var out []string
	for _, prefix := range sorted {
		if len(prefix) < 2 || !strings.HasSuffix(prefix, "/") || strings.HasPrefix(prefix, "/") {
			return nil, fault.New(fault.Internal,
				i18n.M("Objects under {{.Prefix}} cannot be deleted. A prefix must be a name that ends with /.", "Prefix", printableKey(prefix)),
				i18n.Message{})
		}
		if len(out) == 0 || !strings.HasPrefix(prefix, out[len(out)-1]) {
			out = append(out, prefix)
		}
	}
	return out, nil
}

// objects goes over the prefixes until nothing is left, at most passes times.
func (p *purge) objects(ctx context.Context) error {
	before := 0 // keys that failed in the pass before
	for n := 0; ; n++ {
		found, failed, err := p.pass(ctx, n)
		if err == nil {
			p.count(before, 0, 0)
		}
		before = failed
		if err != nil || p.sweep.DryRun || found == 0 {
			return err
		}
		stuck := n > 0 && failed == found
		if failed > 0 && (stuck || n == passes-1) {
			return p.leftOver(failed)
		}
		if n == passes-1 {
			return nil // what is found now was written in the meantime
		}
		if failed > 0 {
			if err := parallel.Sleep(ctx, 200*time.Millisecond<<n); err != nil {
				return err
			}
		}
	}
}

func (p *purge) leftOver(n int) error {
	return fault.New(fault.Failed,
		i18n.N("{{.Count}} object could not be deleted.", "{{.Count}} objects could not be deleted.", n),
		i18n.M("Fix the errors above, then rerun the command.")).With(p.result().Failed...)
}

// pass lists the prefixes and deletes what is selected, in batches, while the listing goes on. The first pass spreads
// the listing over spans; the next ones, which mostly find nothing, rely on as little as possible.
func (p *purge) pass(ctx context.Context, n int) (found, failed int, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	pages := make(chan []item, listers)
	var listErr error
	go func() {
		defer close(pages)
		listErr = p.list(ctx, n == 0 || !p.sweep.OlderThan.IsZero(), pages)
	}()
	p.begin(n)
	var deletions errgroup.Group
	deletions.SetLimit(deleters)
	var mu sync.Mutex
	var batchErr error
	flush := func(batch []item) {
		if len(batch) == 0 || p.sweep.DryRun {
			return
		}
		deletions.Go(func() error {
			bad := len(batch)
			err := fault.Try(func() (err error) {
				bad, err = p.deleteBatch(ctx, batch)
				return err
			})
			p.count(len(batch)-bad, 0, 0)
			mu.Lock()
			defer mu.Unlock()
			failed += bad
			if err != nil && batchErr == nil {
				batchErr = err
			}
			if hopeless(err) {
				cancel(err) // the other batches would fare no better
			}
			return nil
		})
	}
	var batch []item
	for page := range pages {
		fresh, size := 0, int64(0)
		for _, it := range page {
			if n == 0 || it.changed.After(p.started) {
				fresh++
				size += it.size
			}
			if batch = append(batch, it); len(batch) == batchSize {
				flush(batch)
				batch = make([]item, 0, batchSize)
			}
		}
		found += len(page)
		p.count(fresh-len(page), fresh, size)
	}
	flush(batch)
	_ = deletions.Wait()
	switch {
	case hopeless(batchErr):
		return found, failed, batchErr
	case listErr != nil:
		return found, failed, listErr
	case batchErr != nil && ctx.Err() != nil:
		return found, failed, context.Cause(ctx)
	}
	return found, failed, nil
}

// hopeless reports whether an error concerns everything that is left to do.
func hopeless(err error) bool {
	return fault.Is(err, fault.Denied) || fault.Is(err, fault.NotFound) || fault.Is(err, fault.Interrupted)
}
