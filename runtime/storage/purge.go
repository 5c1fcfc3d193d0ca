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

// Limits of the parallelism of a purge. At 50 ms per request, listing takes the most time, so it is distributed over
// spans of keys. 32 parallel batches of 1000 keys are as fast as the listing.
const (
	listers    = 16
	deleters   = 32
	batchSize  = 1000 // limit of DeleteObjects
	maxPasses  = 5    // over the prefixes, until no objects are left
	maxReasons = 100  // see entity.Purged
)

// Limits of the listing of one purge. They are high because entries are not kept in memory. A page counts as at least
// emptyPage entries, even if it is empty. A purge that reaches a limit keeps its deletions, and the next purge
// continues from there.
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

	listed atomic.Int64 // number of listed entries

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

// Purge deletes all objects that sweep selects, with all versions if the bucket is versioned, and aborts unfinished
// multipart uploads. Listing and deleting overlap, and memory use does not depend on the number of objects. Purge then
// lists the prefixes again, because a retried DeleteObjects request may return 200 although keys remain. The counts are
// correct even if an error is returned. A missing bucket has no objects.
func (s *Store) Purge(ctx context.Context, sweep entity.Sweep) (entity.Purged, error) {
	if err := s.ready(ctx); err != nil {
		return entity.Purged{}, err
	}
	prefixes, err := cleanPrefixes(sweep.Prefixes)
	if err != nil {
		return entity.Purged{}, err
	}
	p := &purge{store: s, sweep: sweep, prefixes: prefixes, started: time.Now()}
	p.versioned = sync.OnceValues(func() (bool, error) { return s.versioned(ctx, p.checkClock) })
	if !sweep.OlderThan.IsZero() { // checks the clock before anything is listed
		if _, err := p.versioned(); err != nil && !fault.Is(err, fault.NotFound) {
			return entity.Purged{}, err
		}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, maxListTime, s.endlessListing())
	defer cancel()
	var g errgroup.Group // without a context: one part must complete even if the other one fails
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

// countPage adds the entries of a page to the number of listed entries. It returns an error if a purge lists too
// many.
func (p *purge) countPage(entries int) error {
	if p.listed.Add(int64(max(entries, emptyPage))) > maxListed {
		return p.store.endlessListing()
	}
	return nil
}

func (p *purge) result() entity.Purged {
	p.mu.Lock()
	defer p.mu.Unlock()
	return entity.Purged{Seen: p.seen, Deleted: max(0, p.deleted), Bytes: p.bytes, Uploads: p.uploads, Failed: slices.Clone(p.reasons)}
}

// cleanPrefixes returns the prefixes without those that another prefix covers. It returns an error if a prefix could
// match unrelated keys.
func cleanPrefixes(prefixes []string) ([]string, error) {
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

// objects deletes the selected objects in passes over the prefixes until none are left, at most maxPasses times.
func (p *purge) objects(ctx context.Context) error {
	failedBefore := 0 // keys that were not deleted in the previous pass
	for n := 0; ; n++ {
		found, failed, err := p.pass(ctx, n)
		if err == nil {
			p.count(failedBefore, 0, 0)
		}
		failedBefore = failed
		if err != nil || p.sweep.DryRun || found == 0 {
			return err
		}
		stuck := n > 0 && failed == found
		if failed > 0 && (stuck || n == maxPasses-1) {
			return p.remainingObjects(failed)
		}
		if n == maxPasses-1 {
			return nil // the remaining objects were written during the purge
		}
		if failed > 0 {
			if err := parallel.Sleep(ctx, 200*time.Millisecond<<n); err != nil {
				return err
			}
		}
	}
}

// remainingObjects returns the fault for n objects that could not be deleted.
func (p *purge) remainingObjects(n int) error {
	return fault.New(fault.Failed,
		i18n.N("{{.Count}} object could not be deleted.", "{{.Count}} objects could not be deleted.", n),
		i18n.M("Fix the errors above, then rerun the command.")).With(p.result().Failed...)
}

// pass lists the prefixes and deletes the selected objects in batches while the listing continues. The first pass
// distributes the listing over spans of keys, and so does every pass that selects by age because the younger objects
// remain. The other passes usually find no objects and use plain listings, which depend on fewer features of the
// store.
func (p *purge) pass(ctx context.Context, n int) (found, failed int, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	pages := make(chan []item, listers)
	var listErr error
	go func() {
		defer close(pages)
		listErr = p.list(ctx, n == 0 || !p.sweep.OlderThan.IsZero(), pages)
	}()
	p.startPass(n)
	var deletions errgroup.Group
	deletions.SetLimit(deleters)
	var mu sync.Mutex
	var batchErr error
	flush := func(batch []item) {
		if len(batch) == 0 || p.sweep.DryRun {
			return
		}
		deletions.Go(func() error {
			notDeleted := len(batch)
			err := fault.Try(func() (err error) {
				notDeleted, err = p.deleteBatch(ctx, batch)
				return err
			})
			p.count(len(batch)-notDeleted, 0, 0)
			mu.Lock()
			defer mu.Unlock()
			failed += notDeleted
			if err != nil && batchErr == nil {
				batchErr = err
			}
			if affectsAllRequests(err) {
				cancel(err) // the other batches would fail, too
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
	case affectsAllRequests(batchErr):
		return found, failed, batchErr
	case listErr != nil:
		return found, failed, listErr
	case batchErr != nil && ctx.Err() != nil:
		return found, failed, context.Cause(ctx)
	}
	return found, failed, nil
}

// affectsAllRequests reports whether all remaining requests would fail with the same error.
func affectsAllRequests(err error) bool {
	return fault.Is(err, fault.Denied) || fault.Is(err, fault.NotFound) || fault.Is(err, fault.Interrupted)
}
