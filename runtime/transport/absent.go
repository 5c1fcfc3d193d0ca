package transport

import (
	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
)

// Gone judges the error of a deletion, or of another request for which it is good news that a thing is not there: nil then.
// An answer "404" comes from wrong routes and gateways too, so it is believed only when a second question, again, gives a
// fault.NotFound as well.
func Gone(name string, err error, again func() error) error {
	if !fault.Is(err, fault.NotFound) {
		return err
	}
	err = again()
	switch {
	case fault.Is(err, fault.NotFound):
		return nil
	case err == nil: // the service contradicts itself, or somebody has made the thing again in between
		return fault.New(fault.Conflict,
			i18n.M("{{.Name}} was reported as not found, but still exists. Another process may have created it again.", "Name", name),
			i18n.M("Rerun the command."))
	}
	return err
}
