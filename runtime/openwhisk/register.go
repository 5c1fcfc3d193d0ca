package openwhisk

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops"
)

// Register makes a runtime or brings it to what is given, with its code; a package that is not there any more is made
// first. Annotations of others stay, but for the server's own; those of ours that are not given go.
func (c *Compute) Register(ctx context.Context, r entity.Registered, code lithops.Bundle) (entity.Registered, error) {
	// The version is ours to say, so that annotation and version change together: a later version is of another tool.
	version := following(r.Revision)
	a := Action{
		Package: r.ID.Group, Name: r.ID.Name, Image: r.Reference, MemoryMB: r.MemoryMB, TimeoutMS: r.TimeoutMS, Version: version,
		Annotations: map[string]any{},
	}
	for key, value := range r.Notes {
		switch key {
		case "exec", "provide-api-key", "binary": // the server's own
		default:
			a.Annotations[key] = value
		}
	}
	a.Annotations[entity.NoteRevision] = version
	drop := slices.DeleteFunc(entity.OwnNotes(), func(key string) bool { return a.Annotations[key] != nil })
	stored, err := c.client.PutAction(ctx, a, code.Base64, drop...)
	if fault.Is(err, fault.NotFound) {
		if _, err := c.client.CreatePackage(ctx, a.Package); err != nil {
			return r, err
		}
		stored, err = c.client.PutAction(ctx, a, code.Base64, drop...)
	}
	if err != nil {
		return r, err
	}
	if !sameImage(stored.Image, r.Reference) {
		r.Reference = stored.Image
	}
	if stored.Version != "" && stored.Version != version { // it counts by itself: without the note nothing is concluded from it
		amended, err := c.client.PutAction(ctx, Action{Package: a.Package, Name: a.Name}, "", entity.NoteRevision)
		switch {
		case err == nil:
			delete(a.Annotations, entity.NoteRevision)
			stored = amended
		case !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.Invalid): // those say that somebody deleted it meanwhile
			return r, err
		}
	}
	r.Notes, r.Revision, r.UpdatedAt = a.Annotations, stored.Version, stored.UpdatedAt
	return r, nil
}

// following returns the version after another one, as the server counts; the first one where there is none.
func following(version string) string {
	var major, minor, patch uint32
	if _, err := fmt.Sscanf(version, "%d.%d.%d", &major, &minor, &patch); err != nil {
		return "0.0.1"
	}
	return fmt.Sprintf("%d.%d.%d", major, minor, uint64(patch)+1)
}

// sameImage reports whether the image that the server stored, "" where it does not say, is that which was sent. It may
// leave out what a name means without being said.
func sameImage(stored, sent string) bool {
	plain := func(image string) string {
		return strings.TrimSuffix(strings.TrimPrefix(image, "docker.io/"), ":latest")
	}
	return stored == "" || sent == "" || plain(stored) == plain(sent)
}
