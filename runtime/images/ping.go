package images

import "context"

// Ping tells whether a container engine answers, and gives its address.
func (b *Builder) Ping(ctx context.Context) (engine string, err error) {
	e, err := b.connect(ctx)
	if err != nil {
		return "", err
	}
	return e.Host, nil
}
