package transport

import (
	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
)

// ConfirmNotFound returns nil if err, the error of a deletion or of another request that expects the thing to be gone,
// is a fault.NotFound error and check returns one as well. The second request is necessary because wrong routes and
// gateways also answer with status 404. Any other err is returned unchanged.
func ConfirmNotFound(name string, err error, check func() error) error {
	if !fault.Is(err, fault.NotFound) {
		return err
	}
	err = check()
	switch {
	case fault.Is(err, fault.NotFound):
		return nil
	case err == nil: // the service contradicts itself, or another process has re-created the thing in the meantime
		return fault.New(fault.Conflict,
			i18n.M("{{.Name}} was reported as not found, but still exists. Another process may have created it again.", "Name", name),
			i18n.M("Rerun the command."))
	}
	return err
}
