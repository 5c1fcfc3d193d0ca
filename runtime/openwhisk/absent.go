package openwhisk

import (
	"context"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
)

// An answer "404" to a deletion, or to the listing of a package, is good news and ends the work. It comes from wrong
// routes and gateways too, so it is believed only when a second question gives the same answer.

// actionGone judges the error of a deletion: nil when the action is not there.
func (c *Compute) actionGone(ctx context.Context, id entity.ID, err error) error {
	if !fault.Is(err, fault.NotFound) {
		return err
	}
	_, err = c.client.Action(ctx, id.Group, id.Name)
	switch {
	case fault.Is(err, fault.NotFound):
		return nil
	case err == nil:
		return stillThere(id.String())
	}
	return err
}

// packageGone judges the error of a deletion or listing: nil when the package is not there.
func (c *Compute) packageGone(ctx context.Context, name string, err error) error {
	if !fault.Is(err, fault.NotFound) {
		return err
	}
	there, err := c.Has(ctx, entity.Thing{Name: name})
	if err == nil && there {
		err = stillThere(name)
	}
	return err
}

// namespaceGone judges the error of the listing of packages: nil when the namespace, of which the memory had told, is not
// there.
func (c *Compute) namespaceGone(ctx context.Context, err error) error {
	if fault.Is(err, fault.NotFound) && fault.Is(c.client.Find(ctx), fault.NotFound) {
		return nil
	}
	return err
}

// stillThere says that the service contradicts itself, or that somebody has made the thing again in between.
func stillThere(name string) error {
	return fault.New(fault.Conflict,
		i18n.M("{{.Name}} was not found when it was looked for, and is there all the same: somebody else may have made it again.", "Name", name),
		i18n.M("Run the same command again."))
}
