package invoker

import "time"

// Load is what the workers of an invoker are busy with.
type Load struct {
	Busy       int `json:"busy"`      // workers that run an activation
	Idle       int `json:"idle"`      // that are kept warm
	Waiting    int `json:"waiting"`   // activations without a worker
	Computing  int `json:"computing"` // busy workers that do not only wait for something
	Processors int `json:"processors"`
	UsedMB     int `json:"used_mb"`   // limits of the workers, busy and idle
	BudgetMB   int `json:"budget_mb"` // at most
}

// Load returns what the workers are busy with. Who computes is looked at after the first of several questions.
func (v *Invoker) Load() Load {
	p := v.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.busy) > 0 {
		p.lookLater()
	}
	return Load{
		Busy: len(p.busy), Idle: p.idle.Len(), Waiting: p.queue.Len(), Computing: min(computing(p.usages(), time.Now()), p.processors),
		Processors: p.processors, UsedMB: p.usedMB, BudgetMB: p.budget,
	}
}
