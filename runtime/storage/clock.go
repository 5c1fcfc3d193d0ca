package storage

import (
	"net/http"
	"time"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
)

// maxAhead is how far this machine's clock may be ahead of the store's when objects are chosen by their age.
const maxAhead = 5 * time.Minute

// inTime refuses to choose objects by their age with a clock that is ahead of the store's, whose times the objects have:
// younger ones would be deleted. Signed requests are refused by the store then; those with a token are not.
func (p *purge) inTime(answer *http.Response) error {
	date, err := http.ParseTime(answer.Header.Get("Date"))
	ahead := time.Since(date).Round(time.Minute)
	if p.sweep.OlderThan.IsZero() || err != nil || ahead <= maxAhead {
		return nil
	}
	return fault.New(fault.Failed,
		i18n.M("The clock of this machine is {{.Time}} ahead of the object storage clock, so the age of objects is unknown.", "Time", ahead),
		i18n.M("Correct the system clock, then rerun."))
}
