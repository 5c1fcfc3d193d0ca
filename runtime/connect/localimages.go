package connect

import (
	"context"

	"fn-runtime/runtime/images"
)

// LocalImages returns the names of the images in the container engine of this machine. Shell completion uses it.
func LocalImages(ctx context.Context, h Host) ([]string, error) {
	b := images.New(images.Options{Getenv: h.Getenv, Home: h.Home})
	defer b.Close()
	return b.Local(ctx)
}
