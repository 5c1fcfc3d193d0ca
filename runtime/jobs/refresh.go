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
	// defaultHorizon is the assumed maximum duration of a call while the timeouts of the runtimes are unknown.
	defaultHorizon = 10 * time.Minute
	// margin allows for clock differences and for services that write records with a delay.
	margin = 2 * time.Minute
	// maxActivations and maxObjects limit what one refresh reads: the newest activations and the first objects.
	maxActivations = 50_000
	maxObjects     = 90_000
	// fewObjects is the number of objects up to which each refresh lists all of them. If there are more, it lists only
	// the objects of unfinished jobs.
	fewObjects = 3000
	// allObjects is the interval at which all objects are listed anyway, to find new jobs.
	allObjects = 30 * time.Second
)

// The limits of the pause between two refreshes. The pause is a multiple of the duration of a refresh, so that the
// target is idle most of the time.
const (
	shortestPause = time.Second
	longestPause  = 30 * time.Second
	pauseFactor   = 4
)

// Pause returns how long to wait before the next Refresh, so that the target is not kept busy.
func (w *Watcher) Pause() time.Duration {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return min(max(pauseFactor*w.duration, shortestPause), longestPause)
}

// Refresh reads new data and reports whether anything has changed. It does not read ended calls again.
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
	w.duration = time.Since(began)
	return w.version != before, nil
}

// listObjects lists the objects that calls have written. If there are many, it lists only those of unfinished jobs.
func (w *Watcher) listObjects(ctx context.Context) ([]entity.Object, error) {
	prefixes := []string{lithops.JobsPrefix}
	full := w.objects <= fewObjects || time.Since(w.lastFullListing) > allObjects
	if !full {
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
	if full {
		w.objects, w.lastFullListing = len(list), time.Now()
	}
	return list, nil
}

// listActivations lists the activations since the last call, the first time with their logs.
func (w *Watcher) listActivations(ctx context.Context) ([]entity.Activation, error) {
	since, first := w.since, w.lastListed.IsZero()
	if from := w.lastListed.Add(-w.horizon - margin); !first && from.After(since) {
		since = from
	}
	start := time.Now()
	list, err := w.activationsSince(ctx, since, first)
	if first && fault.Is(err, fault.TooLarge) { // the logs are too large, so read the records one by one
		list, err = w.activationsSince(ctx, since, false)
	}
	if err == nil {
		w.lastListed = start
	}
	return list, err
}

func (w *Watcher) activationsSince(ctx context.Context, since time.Time, withLogs bool) ([]entity.Activation, error) {
	var list []entity.Activation
	for run, err := range w.site.Compute.ListActivations(ctx, since, withLogs) {
		if err != nil {
			return nil, err
		}
		if withLogs && run.Done {
			// Logs are large, so merge them page by page.
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

// readNames reads the images of unknown runtimes. If it fails, the service's own names are used.
func (w *Watcher) readNames(ctx context.Context, runs []entity.Activation) {
	unknown := false
	for _, run := range runs {
		if _, known := w.runtimes[run.Runtime]; !known && run.Runtime != (entity.ID{}) {
			unknown = true
		}
	}
	if !unknown || time.Since(w.namesRead) < time.Minute {
		return
	}
	w.namesRead = time.Now()
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

// readRecords reads the records of ended activations with their logs, concurrently.
func (w *Watcher) readRecords(ctx context.Context, g *parallel.Group, runs []entity.Activation) error {
	_, errs := parallel.Each(ctx, g, runs, func(ctx context.Context, run entity.Activation) (struct{}, error) {
		record, err := w.site.Compute.GetActivation(ctx, run.ID)
		if fault.Is(err, fault.NotFound) {
			return struct{}{}, nil // not written yet
		}
		if err != nil {
			return struct{}{}, err
		}
		if !record.Done { // the service keeps no logs, so the listing contains everything
			record = run
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.mergeRecord(record)
		return struct{}{}, nil
	})
	return parallel.FirstError(errs)
}

// readStatuses reads the status objects of calls whose records do not contain the result. If the record of a call may
// still arrive, the status object is not read before the next refresh.
func (w *Watcher) readStatuses(ctx context.Context, g *parallel.Group) error {
	var wanted []callRef
	w.mu.RLock()
	for _, j := range w.jobs {
		for _, c := range j.calls {
			if c.hasStatus && (!c.final || c.mixed) && (w.rounds == 1 || c.statusRound < w.rounds) {
				wanted = append(wanted, callRef{j.id, c.ID})
			}
		}
	}
	w.mu.RUnlock()
	_, errs := parallel.Each(ctx, g, wanted, func(ctx context.Context, r callRef) (struct{}, error) {
		data, err := w.site.Store.Get(ctx, lithops.StatusKey(r.job, r.call))
		if fault.Is(err, fault.NotFound) || fault.Is(err, fault.TooLarge) { // deleted by the client, or not a status object
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

// ReadActivation reads the record of one activation of any age. It returns a fault.NotFound error while there is no
// record.
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
