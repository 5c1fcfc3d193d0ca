package s3

import (
	"encoding/xml"
	"errors"
	"net/http"

	"fn-runtime/runtime/local/internal/state"
)

// maxDeletions is the most of a DeleteObjects.
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
	Deleted []deleted
	Error   []notDeleted
}

type deleted struct {
	Key           string
	VersionID     string `xml:"VersionId,omitempty"`
	Marker        bool   `xml:"DeleteMarker,omitempty"`
	MarkerVersion string `xml:"DeleteMarkerVersionId,omitempty"`
}

type notDeleted struct {
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
	what := make([]state.Deletion, len(in.Object))
	refused := make([]*refusal, len(in.Object))
	for i, d := range in.Object {
		what[i] = state.Deletion{Key: d.Key, Version: d.VersionID}
	}
	done, err := c.db.Delete(c.bucket, func(i int, old *state.Object) (goOn bool) {
		goOn, refused[i] = in.Object[i].applies(old)
		return goOn
	}, what...)
	if err != nil {
		return err
	}
	var out deletions
	for i, d := range what {
		switch no := refused[i]; {
		case no != nil:
			out.Error = append(out.Error, notDeleted{d.Key, d.Version, no.Code, no.Message})
		case in.Quiet:
		case done[i].Marker:
			out.Deleted = append(out.Deleted, deleted{d.Key, d.Version, true, done[i].Version})
		default:
			out.Deleted = append(out.Deleted, deleted{Key: d.Key, VersionID: d.Version})
		}
	}
	c.answer(http.StatusOK, out)
	return nil
}

// applies reports whether a deletion has something to do, or why it must not: one with conditions on what is not there does
// nothing, not even a delete marker.
func (d deletion) applies(old *state.Object) (bool, *refusal) {
	var no *refusal
	switch {
	case d.VersionID != "" && errors.As(validVersion(d.VersionID), &no):
		return false, no
	case d.Key == "":
		return false, refuse(http.StatusBadRequest, "UserKeyMustBeSpecified", "The request must name a key.")
	case validKey(d.Key) != nil:
		return false, validKey(d.Key)
	case old == nil:
		return d.ETag == "" && d.LastModifiedTime == "" && d.Size == "", nil
	}
	ok, err := asExpected(old, d.ETag, d.LastModifiedTime, d.Size)
	switch {
	case errors.As(err, &no):
		return false, no
	case !ok:
		return false, preconditionFailed()
	}
	return true, nil
}
