package storage

import "fn-runtime/runtime/text"

// begin starts the tally of a pass: reasons are those of the last one.
func (p *purge) begin(pass int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if pass > 0 {
		p.reasons = nil
	}
}

// count adds to the tally and reports it. A key that a later pass finds again is taken off deleted, whatever the answers
// said about it; keys that failed before are put on again when that pass has seen everything: they were taken off, too, or
// they are gone. So deleted may be too low for a while, and never too high.
func (p *purge) count(deleted, seen int, bytes int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.deleted += deleted
	p.seen += seen
	p.bytes += bytes
	if p.sweep.Progress != nil {
		p.sweep.Progress(max(0, p.deleted), p.seen)
	}
}

// fail notes why something could not be deleted.
func (p *purge) fail(key, reason string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.reasons) < maxReasons {
		p.reasons = append(p.reasons, printableKey(key)+": "+text.Line(reason, 200))
	}
}
