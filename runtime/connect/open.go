package connect

import (
	"context"

	"fn-runtime/i18n"
	"fn-runtime/runtime"
	"fn-runtime/runtime/fault"
)

// Open makes the service of one command. Nothing is changed on the target; -b local starts the local endpoint.
func Open(ctx context.Context, opts Options) (*runtime.Service, error) {
	return nil, fault.New(fault.Internal, i18n.M("The operation is not implemented."), i18n.Message{})
}
