package commands

import (
	"context"
	"io"
	"sync"

	"fn-runtime/i18n"
	"fn-runtime/runtime"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/site"
)

// shared holds the state that the regions of one command share: the confirmation question, the progress counts, the
// built images and the emptied prefixes of the bucket. Each prefix is emptied once, because it contains the objects of
// all regions.
type shared struct {
	inner site.Observer
	ask   confirm

	mu      sync.Mutex
	counts  [][2]int64 // done and total of each region
	pending int        // number of regions that may still add a plan
	planned []bool     // regions that have added their plan or have ended
	plan    runtime.Result
	asked   chan struct{} // closed when the user has answered
	yes     bool
	err     error
	purges  map[string]*purge
	builds  map[string]*built
	warned  map[string]bool
}

// built is the result of building an image once for all regions.
type built struct {
	once   sync.Once
	result entity.ImageBuilt
	err    error
}

// purge is the result of deleting a prefix once for all regions.
type purge struct {
	once   sync.Once
	result entity.Purged
	err    error
}

func newShared(inner site.Observer, regions int, ask confirm) *shared {
	return &shared{
		inner: inner, ask: ask, counts: make([][2]int64, regions), pending: regions, planned: make([]bool, regions),
		asked: make(chan struct{}), purges: map[string]*purge{}, builds: map[string]*built{}, warned: map[string]bool{},
	}
}

// confirm returns the confirm function of region i. It waits until every region has its plan or has ended. All regions
// get the answer to one question about the combined plan.
func (s *shared) confirm(i int) confirm {
	if s.ask == nil {
		return nil
	}
	return func(plan runtime.Result) (bool, error) {
		s.mu.Lock()
		s.plan.Items = append(s.plan.Items, plan.Items...)
		s.mu.Unlock()
		s.donePlanning(i)
		<-s.asked
		return s.yes, s.err
	}
}

// donePlanning records that region i does not add to the combined plan any more. The call for the last region asks the
// question.
func (s *shared) donePlanning(i int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.planned[i] {
		return
	}
	s.planned[i] = true
	if s.pending--; s.pending > 0 {
		return
	}
	if s.ask != nil && len(s.plan.Items) > 0 {
		s.yes, s.err = s.ask(s.plan)
	}
	close(s.asked)
}

// attach makes the service of a region use the shared store and images.
func (s *shared) attach(service *runtime.Service) {
	if service.Store != nil {
		service.Store = sharedStore{service.Store, s}
	}
	if service.Images != nil {
		service.Images = sharedImages{service.Images, s}
	}
}

// sharedStore deletes the objects of each prefix once per command. Later callers get the result of the first call.
type sharedStore struct {
	site.Store
	shared *shared
}

func (s sharedStore) Purge(ctx context.Context, sweep entity.Sweep) (entity.Purged, error) {
	if len(sweep.Prefixes) != 1 {
		return s.Store.Purge(ctx, sweep)
	}
	s.shared.mu.Lock()
	p := s.shared.purges[sweep.Prefixes[0]]
	if p == nil {
		p = &purge{}
		s.shared.purges[sweep.Prefixes[0]] = p
	}
	s.shared.mu.Unlock()
	p.once.Do(func() { p.result, p.err = s.Store.Purge(ctx, sweep) })
	return p.result, p.err
}

// sharedImages builds each image once per command.
type sharedImages struct {
	site.Images
	shared *shared
}

func (i sharedImages) Build(ctx context.Context, b entity.ImageBuild, progress io.Writer) (entity.ImageBuilt, error) {
	i.shared.mu.Lock()
	one := i.shared.builds[b.Image]
	if one == nil {
		one = &built{}
		i.shared.builds[b.Image] = one
	}
	i.shared.mu.Unlock()
	one.once.Do(func() { one.result, one.err = i.Images.Build(ctx, b, progress) })
	return one.result, one.err
}

// Ping checks the container engine for doctor and returns its description.
func (i sharedImages) Ping(ctx context.Context) (string, error) {
	engine, ok := i.Images.(interface {
		Ping(ctx context.Context) (string, error)
	})
	if !ok {
		return "", fault.New(fault.NotFound, i18n.M("The container engine was not checked."), i18n.Message{})
	}
	return engine.Ping(ctx)
}

// observer returns the observer of region i. It reports the sum of the counts of all regions.
func (s *shared) observer(i int) site.Observer { return regionObserver{s.inner, s, i} }

type regionObserver struct {
	site.Observer
	shared *shared
	i      int
}

// Warn prints a warning once, even if it is the same in several regions.
func (o regionObserver) Warn(text i18n.Message) {
	o.shared.mu.Lock()
	warned := o.shared.warned[text.String()]
	o.shared.warned[text.String()] = true
	o.shared.mu.Unlock()
	if !warned {
		o.Observer.Warn(text)
	}
}

func (o regionObserver) Progress(done, total int64, unit string) {
	o.shared.mu.Lock()
	o.shared.counts[o.i] = [2]int64{done, total}
	var sum [2]int64
	for _, c := range o.shared.counts {
		sum[0], sum[1] = sum[0]+c[0], sum[1]+c[1]
	}
	o.shared.mu.Unlock()
	o.Observer.Progress(sum[0], sum[1], unit)
}
