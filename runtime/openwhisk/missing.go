package openwhisk

import (
	"context"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/transport"
)

// ignoreMissingPackage returns nil instead of the error of a deletion or listing if the package does not exist.
func (c *Compute) ignoreMissingPackage(ctx context.Context, name string, err error) error {
	return transport.ConfirmNotFound(name, err, func() error {
		exists, err := c.HasResource(ctx, entity.Resource{Name: name})
		if err == nil && !exists {
			return fault.New(fault.NotFound, i18n.Message{}, i18n.Message{})
		}
		return err
	})
}

// ignoreMissingNamespace returns nil instead of the error of a package listing if the namespace does not exist,
// although the cache contained its ID.
func (c *Compute) ignoreMissingNamespace(ctx context.Context, err error) error {
	if fault.Is(err, fault.NotFound) && fault.Is(c.client.Find(ctx), fault.NotFound) {
		return nil
	}
	return err
}
