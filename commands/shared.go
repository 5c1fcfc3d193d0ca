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

// shared is what the regions of one command have in common: the question, the counts of the progress, the images that
// are built for them, and the bucket, whose prefixes hold the objects of every region and are emptied once.
type shared struct {
	inner site.Observer
	ask   confirm

	mu      sync.Mutex
	counts  [][2]int64 // done and total of each region
	waiting int        // regions that may still have a plan
	left    []bool     // regions that are not waited for
	plan    runtime.Result
	asked   chan struct{} // closed when the answer is there
	yes     bool
	err     error
	purges  map[string]*purge
	builds  map[string]*built
	warned  map[string]bool
}

// built is one image that several regions need.
type built struct {
	once sync.Once
	got  entity.ImageBuilt
	err  error
}

type purge struct {
	once sync.Once
	got  entity.Purged
	err  error
}

func newShared(inner site.Observer, regions int, ask confirm) *shared {
	return &shared{
		inner: inner, ask: ask, counts: make([][2]int64, regions), waiting: regions, left: make([]bool, regions),
		asked: make(chan struct{}), purges: map[string]*purge{}, builds: map[string]*built{}, warned: map[string]bool{},
	}
}

// confirm returns the question of region i: it waits until every region has its plan or has ended, and all get the answer
// to the one question about all plans.
func (s *shared) confirm(i int) confirm {
	if s.ask == nil {
		return nil
	}
	return func(plan runtime.Result) (bool, error) {
		s.mu.Lock()
		s.plan.Items = append(s.plan.Items, plan.Items...)
		s.mu.Unlock()
		s.leave(i)
		<-s.asked
		return s.yes, s.err
	}
}

// leave says that region i will add nothing to the question. The last one asks it.
func (s *shared) leave(i int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left[i] {
		return
	}
	s.left[i] = true
	if s.waiting--; s.waiting > 0 {
		return
	}
	if s.ask != nil && len(s.plan.Items) > 0 {
		s.yes, s.err = s.ask(s.plan)
	}
	close(s.asked)
}

// join makes a region's service use what is shared.
func (s *shared) join(service *runtime.Service) {
	if service.Store != nil {
		service.Store = sharedStore{service.Store, s}
	}
	if service.Images != nil {
		service.Images = sharedImages{service.Images, s}
	}
}

// sharedStore empties each prefix of the bucket once in a command; later callers get what the first one came to.
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
	p.once.Do(func() { p.got, p.err = s.Store.Purge(ctx, sweep) })
	return p.got, p.err
}

// sharedImages builds each image once in a command.
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
	one.once.Do(func() { one.got, one.err = i.Images.Build(ctx, b, progress) })
	return one.got, one.err
}

// Ping lets doctor ask for the engine.
func (i sharedImages) Ping(ctx context.Context) (string, error) {
	engine, can := i.Images.(interface {
		Ping(ctx context.Context) (string, error)
	})
	if !can {
		return "", fault.New(fault.NotFound, i18n.M("Docker was not checked."), i18n.Message{})
	}
	return engine.Ping(ctx)
}

// observer returns the observer of region i, whose counts are added to those of the others.
func (s *shared) observer(i int) site.Observer { return regionObserver{s.inner, s, i} }

type regionObserver struct {
	site.Observer
	shared *shared
	i      int
}

// Warn says what is the same in several regions once.
func (o regionObserver) Warn(text i18n.Message) {
	o.shared.mu.Lock()
	again := o.shared.warned[text.String()]
	o.shared.warned[text.String()] = true
	o.shared.mu.Unlock()
	if !again {
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
