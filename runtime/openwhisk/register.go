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

// Register creates or updates a runtime with its code. If the package does not exist any more, Register creates it
// first. Annotations of other tools are kept, except those that the server sets itself. Annotations of this program
// that are not in r.Notes are deleted.
func (c *Compute) Register(ctx context.Context, r entity.Registered, code lithops.Bundle) (entity.Registered, error) {
	// This program sets the version, so that annotation and version change together. A later version shows that
	// another tool has changed the action.
	version := nextVersion(r.Revision)
	a := Action{
		Package: r.ID.Group, Name: r.ID.Name, Image: r.Reference, MemoryMB: r.MemoryMB, TimeoutMS: r.TimeoutMS, Version: version,
		Annotations: map[string]any{},
	}
	for key, value := range r.Notes {
		switch key {
		case "exec", "provide-api-key", "binary": // set by the server
		default:
			a.Annotations[key] = value
		}
	}
	a.Annotations[entity.NoteRevision] = version
	remove := slices.DeleteFunc(entity.OwnNotes(), func(key string) bool { return a.Annotations[key] != nil })
	stored, err := c.client.PutAction(ctx, a, code.Base64, remove...)
	if fault.Is(err, fault.NotFound) {
		if _, err := c.client.CreatePackage(ctx, a.Package); err != nil {
			return r, err
		}
		stored, err = c.client.PutAction(ctx, a, code.Base64, remove...)
	}
	if err != nil {
		return r, err
	}
	if !sameImage(stored.Image, r.Reference) {
		r.Reference = stored.Image
	}
	if stored.Version != "" && stored.Version != version { // the server assigns its own versions: remove the note, so that they are not compared
		amended, err := c.client.PutAction(ctx, Action{Package: a.Package, Name: a.Name}, "", entity.NoteRevision)
		switch {
		case err == nil:
			delete(a.Annotations, entity.NoteRevision)
			stored = amended
		case !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.Invalid): // NotFound and Invalid mean that the action was deleted in the meantime
			return r, err
		}
	}
	r.Notes, r.Revision, r.UpdatedAt = a.Annotations, stored.Version, stored.UpdatedAt
	return r, nil
}

// nextVersion returns the version that the server would assign after version. It returns the first version if version
// is empty or malformed.
func nextVersion(version string) string {
	var major, minor, patch uint32
	if _, err := fmt.Sscanf(version, "%d.%d.%d", &major, &minor, &patch); err != nil {
		return "0.0.1"
	}
	return fmt.Sprintf("%d.%d.%d", major, minor, uint64(patch)+1)
}

// sameImage reports whether the stored image, "" if the server does not report it, is the image that was sent. The
// server may omit the default parts of an image name.
func sameImage(stored, sent string) bool {
	normalize := func(image string) string {
		return strings.TrimSuffix(strings.TrimPrefix(image, "docker.io/"), ":latest")
	}
	return stored == "" || sent == "" || normalize(stored) == normalize(sent)
}
