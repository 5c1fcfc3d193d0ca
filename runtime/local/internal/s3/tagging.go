package s3

import (
	"encoding/xml"
	"maps"
	"net/http"
	"slices"
	"unicode/utf8"

	"fn-runtime/runtime/local/internal/state"
)

// Limits of https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html
const (
	maxObjectTags = 10
	maxBucketTags = 50
	maxTagKey     = 128
	maxTagValue   = 256
)

type tag struct{ Key, Value string }

type tagging struct {
	XMLName xml.Name `xml:"Tagging"`
	TagSet  []tag    `xml:"TagSet>Tag"`
}

func checkTags(set []tag, maxTags int) (map[string]string, error) {
	invalid := func(message string) error { return newError(http.StatusBadRequest, "InvalidTag", message) }
	if len(set) > maxTags {
		return nil, newError(http.StatusBadRequest, "BadRequest", "Object tags cannot be greater than 10")
	}
	tags := map[string]string{}
	for _, t := range set {
		if _, twice := tags[t.Key]; twice {
			return nil, invalid("Cannot provide multiple Tags with the same key")
		}
		if n := utf8.RuneCountInString(t.Key); n == 0 || n > maxTagKey {
			return nil, invalid("The TagKey you have provided is invalid")
		}
		if utf8.RuneCountInString(t.Value) > maxTagValue {
			return nil, invalid("The TagValue you have provided is invalid")
		}
		tags[t.Key] = t.Value
	}
	return tags, nil
}

// readTags reads the tags from the request document.
func (c *call) readTags(maxTags int) (map[string]string, error) {
	var in tagging
	if err := c.document(&in); err != nil {
		return nil, err
	}
	return checkTags(in.TagSet, maxTags)
}

func (c *call) respondTags(tags map[string]string) {
	out := tagging{XMLName: xml.Name{Space: "http://s3.amazonaws.com/doc/2006-03-01/", Local: "Tagging"}, TagSet: []tag{}}
	for _, name := range slices.Sorted(maps.Keys(tags)) {
		out.TagSet = append(out.TagSet, tag{name, tags[name]})
	}
	c.respond(http.StatusOK, out)
}

func (c *call) getObjectTags() error {
	o, err := c.db.Object(c.bucket, c.key, c.version())
	if err == nil {
		c.setVersionHeader(o.Version)
		c.respondTags(o.Tags)
	}
	return err
}

func (c *call) putObjectTags() error {
	tags, err := c.readTags(maxObjectTags)
	if err != nil {
		return err
	}
	o, err := c.db.Change(c.bucket, c.key, c.version(), func(o *state.Object) { o.Tags = tags })
	if err != nil {
		return err
	}
	c.setVersionHeader(o.Version)
	c.w.WriteHeader(http.StatusOK)
	return nil
}

func (c *call) deleteObjectTags() error {
	o, err := c.db.Change(c.bucket, c.key, c.version(), func(o *state.Object) { o.Tags = nil })
	if err != nil {
		return err
	}
	c.setVersionHeader(o.Version)
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

const tagSetting = "tagging"

func (c *call) getBucketTags() error {
	var tags map[string]string
	has, err := c.getSetting(tagSetting, &tags)
	if err == nil && !has {
		err = newError(http.StatusNotFound, "NoSuchTagSet", "The TagSet does not exist")
	}
	if err == nil {
		c.respondTags(tags)
	}
	return err
}

func (c *call) putBucketTags() error {
	tags, err := c.readTags(maxBucketTags)
	if err != nil {
		return err
	}
	return c.putSetting(tagSetting, tags)
}
