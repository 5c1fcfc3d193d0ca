package jobs

import (
	"context"
	"time"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
	"fn-runtime/runtime/parallel"
)

const (
	// defaultHorizon is how long a call may run where the time limits of the runtimes are not known.
	defaultHorizon = 10 * time.Minute
	// margin is for clocks that differ, and for services that take their time to write a record.
	margin = 2 * time.Minute
	// maxActivations and maxObjects bound what one refresh looks at: the newest activations, the first objects.
	maxActivations = 50_000
	maxObjects     = 90_000
	// fewObjects is how many objects are listed anew at every refresh. Of more, only those of unfinished jobs are.
	fewObjects = 3000
	// allObjects is how often all of them are looked through for new jobs even so.
	allObjects = 30 * time.Second
)

// The bounds of the pause between two refreshes, and how it grows with what one takes: the target is idle most of the time.
const (
	shortestPause = time.Second
	longestPause  = 30 * time.Second
	pauseFactor   = 4
)

// Pause is how long to wait before the next Refresh, so that the target is not kept busy by it.
func (w *Watcher) Pause() time.Duration {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return min(max(pauseFactor*w.took, shortestPause), longestPause)
}

// Refresh reads what is new. What has ended is not read again. Without an error it reports whether anything is new.
func (w *Watcher) Refresh(ctx context.Context) (bool, error) {
	w.refreshing.Lock()
	defer w.refreshing.Unlock()
	began, before := time.Now(), w.Version()
	w.rounds++
	var objects []entity.Object
	var listed, unread []entity.Activation
	err := parallel.Run(ctx, func(ctx context.Context) (err error) {
		objects, err = w.listObjects(ctx)
		return err
	}, func(ctx context.Context) (err error) {
		listed, err = w.listActivations(ctx)
		return err
	})
	if err != nil {
		return false, err
	}
	w.readNames(ctx, listed)
	w.mu.Lock()
	w.mergeObjects(objects)
	for _, run := range listed {
		if !w.mergeActivation(run) {
			unread = append(unread, run)
		}
	}
	w.mu.Unlock()
	g := parallel.NewGroup(w.site.Jobs)
	if err := w.readRecords(ctx, g, unread); err != nil {
		return false, err
	}
	if err := w.readStatuses(ctx, g); err != nil {
		return false, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failLostCalls(time.Now())
	w.dropOld(time.Now())
	w.took = time.Since(began)
	return w.version != before, nil
}

// listObjects lists what calls have written. Where there are many, only the objects of jobs that go on are listed anew.
func (w *Watcher) listObjects(ctx context.Context) ([]entity.Object, error) {
	prefixes := []string{lithops.JobsPrefix}
	whole := w.objects <= fewObjects || time.Since(w.complete) > allObjects
	if !whole {
		prefixes = nil
		for _, j := range w.Jobs(time.Now()) {
			if !j.Done() {
				prefixes = append(prefixes, lithops.JobsPrefix+j.ID+"/")
			}
		}
	}
	var list []entity.Object
	for _, prefix := range prefixes {
		for o, err := range w.site.Store.List(ctx, prefix) {
			if err != nil {
				return nil, err
			}
			if list = append(list, o); len(list) >= maxObjects {
				if w.rounds == 1 {
					w.site.Note(i18n.M("The bucket contains more than {{.Count}} job objects, so some are not read. Delete old ones with 'ibmcloud fn-runtime clean --jobs-only --older-than 24h'.", "Count", maxObjects))
				}
				break
			}
		}
	}
	if whole {
		w.objects, w.complete = len(list), time.Now()
	}
	return list, nil
}

// listActivations lists what may be new since the last time: whole records at first, then what they are of.
func (w *Watcher) listActivations(ctx context.Context) ([]entity.Activation, error) {
	since, first := w.since, w.asked.IsZero()
	if from := w.asked.Add(-w.horizon - margin); !first && from.After(since) {
		since = from
	}
	asked := time.Now()
	list, err := w.activationsSince(ctx, since, first)
	if first && fault.Is(err, fault.TooLarge) { // their logs are: they are read one by one
		list, err = w.activationsSince(ctx, since, false)
	}
	if err == nil {
		w.asked = asked
	}
	return list, err
}

func (w *Watcher) activationsSince(ctx context.Context, since time.Time, whole bool) ([]entity.Activation, error) {
	var list []entity.Activation
	for run, err := range w.site.Compute.ListActivations(ctx, since, whole) {
		if err != nil {
			return nil, err
		}
		if whole && run.Done {
			// Logs are what is large: they are taken apart page by page.
			w.readNames(ctx, []entity.Activation{run})
			w.mu.Lock()
			merged := len(run.Logs) > 0 && w.mergeActivation(run)
			w.mu.Unlock()
			run.Logs, run.Result = nil, nil
			if merged {
				continue
			}
		}
		if list = append(list, run); len(list) >= maxActivations {
			break
		}
	}
	return list, nil
}

// readNames reads the images of the runtimes that were not known. Without them runtimes have the service's own names.
func (w *Watcher) readNames(ctx context.Context, runs []entity.Activation) {
	unknown := false
	for _, run := range runs {
		if _, known := w.runtimes[run.Runtime]; !known && run.Runtime != (entity.ID{}) {
			unknown = true
		}
	}
	if !unknown || time.Since(w.named) < time.Minute {
		return
	}
	w.named = time.Now()
	l, err := w.site.Compute.Runtimes(ctx)
	if err != nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range l.Runtimes {
		w.runtimes[r.ID] = r
		w.horizon = max(w.horizon, time.Duration(r.TimeoutMS)*time.Millisecond)
	}
}

// readRecords reads the records, with their logs, of activations that have ended, side by side.
func (w *Watcher) readRecords(ctx context.Context, g *parallel.Group, runs []entity.Activation) error {
	_, errs := parallel.Each(ctx, g, runs, func(ctx context.Context, run entity.Activation) (struct{}, error) {
		record, err := w.site.Compute.GetActivation(ctx, run.ID)
		if fault.Is(err, fault.NotFound) {
			return struct{}{}, nil // it comes
		}
		if err != nil {
			return struct{}{}, err
		}
		if !record.Done { // a service that keeps no logs has no more than it has listed
			record = run
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.mergeRecord(record)
		return struct{}{}, nil
	})
	return parallel.FirstError(errs)
}

// readStatuses reads the status objects of calls of which no record tells how they ended. Where records are still to come
// they are waited for until the next refresh.
func (w *Watcher) readStatuses(ctx context.Context, g *parallel.Group) error {
	var wanted []ref
	w.mu.RLock()
	for _, j := range w.jobs {
		for _, c := range j.calls {
			if c.wrote && (!c.final || c.mixed) && (w.rounds == 1 || c.since < w.rounds) {
				wanted = append(wanted, ref{j.id, c.ID})
			}
		}
	}
	w.mu.RUnlock()
	_, errs := parallel.Each(ctx, g, wanted, func(ctx context.Context, r ref) (struct{}, error) {
		data, err := w.site.Store.Get(ctx, lithops.StatusKey(r.job, r.call))
		if fault.Is(err, fault.NotFound) || fault.Is(err, fault.TooLarge) { // the client has taken it away; or it is none
			data, err = nil, nil
		}
		if err != nil {
			return struct{}{}, err
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.mergeStatus(r, data)
		return struct{}{}, nil
	})
	return parallel.FirstError(errs)
}

// ReadActivation reads the record of one activation, however old it is; fault.NotFound while there is none.
func (w *Watcher) ReadActivation(ctx context.Context, activation string) error {
	w.refreshing.Lock()
	defer w.refreshing.Unlock()
	record, err := w.site.Compute.GetActivation(ctx, activation)
	if err == nil && !record.Done {
		err = fault.New(fault.NotFound, i18n.M("{{.Name}} does not exist.", "Name", activation), i18n.Message{})
	}
	if err != nil {
		return err
	}
	w.readNames(ctx, []entity.Activation{record})
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mergeRecord(record)
	return nil
}
