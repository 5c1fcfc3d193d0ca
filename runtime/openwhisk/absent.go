package openwhisk

import (
	"context"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/transport"
)

// packageGone judges the error of a deletion or listing: nil when the package is not there.
func (c *Compute) packageGone(ctx context.Context, name string, err error) error {
	return transport.ConfirmNotFound(name, err, func() error {
		there, err := c.HasResource(ctx, entity.Resource{Name: name})
		if err == nil && !there {
			return fault.New(fault.NotFound, i18n.Message{}, i18n.Message{})
		}
		return err
	})
}

// namespaceGone judges the error of the listing of packages: nil when the namespace, of which the memory had told, is not
// there.
func (c *Compute) namespaceGone(ctx context.Context, err error) error {
	if fault.Is(err, fault.NotFound) && fault.Is(c.client.Find(ctx), fault.NotFound) {
		return nil
	}
	return err
}
