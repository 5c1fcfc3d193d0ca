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

type deleted struct{ Key string }

type notDeleted struct{ Key, Code, Message string }

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
	wanted := map[string][]deletion{}
	keys := make([]string, 0, len(in.Object))
	for _, d := range in.Object {
		wanted[d.Key] = append(wanted[d.Key], d)
		keys = append(keys, d.Key)
	}
	refused := map[string]*refusal{}
	err := c.db.Delete(c.bucket, func(name string, old *state.Object) bool {
		delete(refused, name)
		for _, d := range wanted[name] {
			if no := d.allowed(old); no != nil {
				refused[name] = no
			}
		}
		return refused[name] == nil
	}, keys...)
	if err != nil {
		return err
	}
	var out deletions
	for _, name := range keys {
		if no := refused[name]; no != nil {
			out.Error = append(out.Error, notDeleted{name, no.Code, no.Message})
		} else if !in.Quiet {
			out.Deleted = append(out.Deleted, deleted{name})
		}
	}
	c.answer(http.StatusOK, out)
	return nil
}

// allowed says what keeps an object from being deleted, nil when nothing does.
func (d deletion) allowed(old *state.Object) *refusal {
	if d.VersionID != "" && d.VersionID != "null" {
		return invalidArgument("Invalid version id specified: the buckets of the local endpoint have no versions.")
	}
	ok, err := asExpected(old, d.ETag, d.LastModifiedTime, d.Size)
	var no *refusal
	if errors.As(err, &no) || ok {
		return no
	}
	return preconditionFailed()
}
