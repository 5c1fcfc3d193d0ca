package invoker

import "time"

// Load is the current load of an invoker.
type Load struct {
	Busy       int `json:"busy"`      // workers that run an activation
	Idle       int `json:"idle"`      // workers that are kept warm
	Waiting    int `json:"waiting"`   // activations in the queue
	Computing  int `json:"computing"` // busy workers that use a CPU instead of waiting for something else
	Processors int `json:"processors"`
	UsedMB     int `json:"used_mb"`   // sum of the memory limits of all workers, busy and idle
	BudgetMB   int `json:"budget_mb"` // maximum of UsedMB
}

// Load returns the current load. It also schedules a measurement of CPU demand, so that Computing becomes accurate if
// the caller polls.
func (v *Invoker) Load() Load {
	p := v.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.busy) > 0 {
		p.scheduleMeasurement()
	}
	return Load{
		Busy: len(p.busy), Idle: p.idle.Len(), Waiting: p.queue.Len(), Computing: min(computing(p.usages(), time.Now()), p.processors),
		Processors: p.processors, UsedMB: p.usedMB, BudgetMB: p.budget,
	}
}
