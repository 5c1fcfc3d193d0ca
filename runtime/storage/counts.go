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

// count adds to the totals and reports progress. A key that a later pass lists again was not deleted, although the
// response of the store may have reported it as deleted. The pass therefore subtracts it from deleted. A key whose
// deletion failed had not been added. To compensate, objects adds the number of these keys after the next pass: that
// pass has either subtracted the key, or not found it because it is deleted now. Until then deleted may be too low, but
// it is never too high.
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
