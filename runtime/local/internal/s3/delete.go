package s3

import (
	"encoding/xml"
	"errors"
	"net/http"

	"fn-runtime/runtime/local/internal/state"
)

// maxDeletions is the maximum number of keys in DeleteObjects.
const maxDeletions = 1000

type deletion struct {
	Key              string
	VersionID        string `xml:"VersionId"`
	ETag             string
	LastModifiedTime string
	Size             string
}

type deletions struct {
	XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ DeleteResult"`
	Deleted []deletedEntry
	Error   []deleteError
}

type deletedEntry struct {
	Key           string
	VersionID     string `xml:"VersionId,omitempty"`
	Marker        bool   `xml:"DeleteMarker,omitempty"`
	MarkerVersion string `xml:"DeleteMarkerVersionId,omitempty"`
}

type deleteError struct {
	Key       string
	VersionID string `xml:"VersionId,omitempty"`
	Code      string
	Message   string
}

func (c *call) deleteObjects() error {
	var in struct {
		XMLName xml.Name `xml:"Delete"`
		Quiet   bool
		Object  []deletion
	}
	if err := c.document(&in); err != nil {
		return err
	}
	if len(in.Object) == 0 || len(in.Object) > maxDeletions {
		return malformedXML()
	}
	targets := make([]state.Deletion, len(in.Object))
	refused := make([]*apiError, len(in.Object))
	for i, d := range in.Object {
		targets[i] = state.Deletion{Key: d.Key, Version: d.VersionID}
	}
	done, err := c.db.Delete(c.bucket, func(i int, old *state.Object) (goOn bool) {
		goOn, refused[i] = in.Object[i].applies(old)
		return goOn
	}, targets...)
	if err != nil {
		return err
	}
	var out deletions
	for i, d := range targets {
		switch apiErr := refused[i]; {
		case apiErr != nil:
			out.Error = append(out.Error, deleteError{d.Key, d.Version, apiErr.Code, apiErr.Message})
		case in.Quiet:
		case done[i].Marker:
			out.Deleted = append(out.Deleted, deletedEntry{d.Key, d.Version, true, done[i].Version})
		default:
			out.Deleted = append(out.Deleted, deletedEntry{Key: d.Key, VersionID: d.Version})
		}
	}
	c.respond(http.StatusOK, out)
	return nil
}

// applies reports whether to carry out a deletion, or returns the error for this key. A conditional deletion of a
// missing object does nothing, and does not create a delete marker.
func (d deletion) applies(old *state.Object) (bool, *apiError) {
	var apiErr *apiError
	switch {
	case d.VersionID != "" && errors.As(validVersion(d.VersionID), &apiErr):
		return false, apiErr
	case d.Key == "":
		return false, newError(http.StatusBadRequest, "UserKeyMustBeSpecified", "The request must name a key.")
	case validKey(d.Key) != nil:
		return false, validKey(d.Key)
	case old == nil:
		return d.ETag == "" && d.LastModifiedTime == "" && d.Size == "", nil
	}
	ok, err := matchesConditions(old, d.ETag, d.LastModifiedTime, d.Size)
	switch {
	case errors.As(err, &apiErr):
		return false, apiErr
	case !ok:
		return false, preconditionFailed()
	}
	return true, nil
}
