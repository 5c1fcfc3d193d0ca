package storage

import (
	"net/http"
	"time"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
)

// maxClockSkew is how far the clock of this machine may be ahead of the clock of the store when objects are selected
// by age.
const maxClockSkew = 5 * time.Minute

// checkClock returns an error if objects are selected by age and the clock of this machine is ahead of the clock of
// the store. The modification times of objects come from the store, so objects that are too young would be deleted.
// The store itself rejects signed requests in this case, but not requests with an IAM token.
func (p *purge) checkClock(response *http.Response) error {
	date, err := http.ParseTime(response.Header.Get("Date"))
	ahead := time.Since(date).Round(time.Minute)
	if p.sweep.OlderThan.IsZero() || err != nil || ahead <= maxClockSkew {
		return nil
	}
	return fault.New(fault.Failed,
		i18n.M("The clock of this machine is {{.Time}} ahead of the object storage clock, so the age of objects is unknown.", "Time", ahead),
		i18n.M("Correct the system clock, then rerun."))
}
