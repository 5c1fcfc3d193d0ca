package transport

import (
	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
)

// ConfirmNotFound checks the error of a request that succeeds if name does not exist, such as a deletion. If err is a
// fault.NotFound error, it calls check, because wrong routes and gateways also return status 404. It returns nil if
// check returns a fault.NotFound error as well, and a fault.Conflict error if check succeeds. Any other err is returned
// unchanged.
func ConfirmNotFound(name string, err error, check func() error) error {
	if !fault.Is(err, fault.NotFound) {
		return err
	}
	err = check()
	switch {
	case fault.Is(err, fault.NotFound):
		return nil
	case err == nil: // inconsistent service, or another process has re-created it
		return fault.New(fault.Conflict,
			i18n.M("{{.Name}} was reported as not found, but still exists. Another process may have created it again.", "Name", name),
			i18n.M("Rerun the command."))
	}
	return err
}
