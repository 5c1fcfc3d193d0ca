package storage

import "fn-runtime/runtime/text"

// startPass starts counting a pass. It clears the reasons of the previous pass.
func (p *purge) startPass(pass int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if pass > 0 {
		p.reasons = nil
	}
}

// count adds to the totals and reports progress. If a pass lists a key that an earlier pass deleted according to the
// response, the caller subtracts the key from deleted. A key that failed in the previous pass was never added. The
// caller adds it after the pass, which either subtracted it as well or did not find it. deleted may be too low for a
// while, but is never too high.
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

// fail records why an object or upload was not deleted.
func (p *purge) fail(key, reason string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.reasons) < maxReasons {
		p.reasons = append(p.reasons, printableKey(key)+": "+text.Line(reason, 200))
	}
}
