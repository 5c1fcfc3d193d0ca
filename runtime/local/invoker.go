package local

import (
	"context"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/local/invoke"
)

// newInvoker makes the invoker that the setup names.
func newInvoker(context.Context, InvokerSetup) (invoke.Invoker, error) {
	return nil, fault.New(fault.Internal, i18n.M("This build has no invoker."), i18n.Message{})
}
