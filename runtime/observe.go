package runtime

import (
	"context"
	"time"

	"fn-runtime/i18n"
)

// begin starts a step for whoever watches; nobody may.
func (s *Service) begin(step i18n.Message) func(error) {
	if s.Observer == nil {
		return func(error) {}
	}
	if end := s.Observer.Begin(i18n.M("{{.Step}}...", "Step", step)); end != nil {
		return end
	}
	return func(error) {}
}

func (s *Service) progress(done, total int) {
	if s.Observer != nil {
		s.Observer.Progress(int64(done), int64(total), "")
	}
}

func (s *Service) note(text i18n.Message) {
	if s.Observer != nil {
		s.Observer.Note(text)
	}
}

func (s *Service) warn(text i18n.Message) {
	if s.Observer != nil {
		s.Observer.Warn(text)
	}
}

// clock is the Clock of the service, or the real one.
func (s *Service) clock() Clock {
	if s.Clock == nil {
		return WallClock{}
	}
	return s.Clock
}

// WallClock is the real time.
type WallClock struct{}

// Now implements Clock.
func (WallClock) Now() time.Time { return time.Now() }

// Sleep implements Clock.
func (WallClock) Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
