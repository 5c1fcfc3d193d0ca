package s3

import (
	"encoding/base64"
	"encoding/xml"
	"errors"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"fn-runtime/runtime/local/internal/state"
	"fn-runtime/runtime/text"
)

// ownerID is the owner of all buckets and objects.
const ownerID = "local"

type owner struct{ ID, DisplayName string }

var localOwner = &owner{ID: ownerID, DisplayName: ownerID}

// timestamp formats a time as in S3 documents.
func timestamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

type bucketListing struct {
	XMLName           xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListAllMyBucketsResult"`
	Owner             *owner
	Buckets           []bucketEntry `xml:"Buckets>Bucket"`
	Prefix            string        `xml:",omitempty"`
	ContinuationToken string        `xml:",omitempty"`
}

type bucketEntry struct{ Name, CreationDate string }

func (c *call) listBuckets() error {
	list, err := c.db.Buckets()
	if err != nil {
		return err
	}
	limit := len(list)
	if text := c.q.Get("max-buckets"); text != "" {
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > 10_000 {
			return invalidArgument("Provided max-buckets not an integer or within integer range")
		}
	}
	after, err := base64.RawURLEncoding.DecodeString(c.q.Get("continuation-token"))
	if err != nil {
		return invalidArgument("The continuation token provided is incorrect")
	}
	out := bucketListing{Owner: localOwner, Prefix: c.q.Get("prefix"), Buckets: []bucketEntry{}}
	for _, b := range list {
		if region := c.q.Get("bucket-region"); region != "" {
			if at, err := c.region(b.Name); err != nil || at != region {
				continue
			}
		}
		if b.Name <= string(after) || !strings.HasPrefix(b.Name, out.Prefix) {
			continue
		}
		if len(out.Buckets) == limit {
			out.ContinuationToken = base64.RawURLEncoding.EncodeToString([]byte(out.Buckets[limit-1].Name))
			break
		}
		out.Buckets = append(out.Buckets, bucketEntry{b.Name, timestamp(b.Created)})
	}
	c.respond(http.StatusOK, out)
	return nil
}

// bucketName is the S3 rule for bucket names, except that it does not exclude IP addresses:
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
var bucketName = text.NewPattern(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

func (c *call) createBucket() error {
	switch {
	case !bucketName.MatchString(c.bucket), strings.Contains(c.bucket, ".."), strings.Contains(c.bucket, ".-"),
		strings.Contains(c.bucket, "-."), net.ParseIP(c.bucket) != nil:
		return newError(http.StatusBadRequest, "InvalidBucketName", "The specified bucket is not valid.")
	case c.bucket == "api": // /api/v1 is a path of OpenWhisk
		return newError(http.StatusBadRequest, "InvalidBucketName", "The bucket name 'api' is reserved.")
	}
	var in struct {
		XMLName            xml.Name `xml:"CreateBucketConfiguration"`
		LocationConstraint string
		Tags               []tag     `xml:"Tags>Tag"`
		Bucket             *struct{} // only for directory buckets
	}
	if c.size != 0 {
		if err := c.document(&in); err != nil {
			return err
		}
	}
	if in.Bucket != nil {
		return notImplemented("directory buckets")
	}
	tags, err := checkTags(in.Tags, maxBucketTags)
	if err != nil {
		return err
	}
	err = c.db.CreateBucket(c.bucket)
	switch {
	case errors.Is(err, state.ErrExists) && c.signedRegion == defaultRegion && c.size == 0 && c.r.Header.Get("X-Amz-Object-Ownership") == "": // S3 accepts this request in us-east-1, and changes nothing
		c.w.Header().Set("Location", "/"+c.bucket)
		c.w.WriteHeader(http.StatusOK)
		return nil
	case errors.Is(err, state.ErrExists):
		return newError(http.StatusConflict, "BucketAlreadyOwnedByYou", "Your previous request to create the named bucket succeeded and you already own it.")
	}
	if err == nil && in.LocationConstraint != "" {
		err = c.db.PutSetting(c.bucket, regionSetting, []byte(in.LocationConstraint))
	}
	if err == nil && len(tags) > 0 {
		err = c.putSetting(tagSetting, tags)
	}
	if v := c.r.Header.Get("X-Amz-Object-Ownership"); err == nil && v != "" {
		err = c.putSetting(ownershipSetting, ownershipControls{Rule: []ownershipRule{{v}}})
	}
	if err != nil {
		return err
	}
	c.w.Header().Set("Location", "/"+c.bucket)
	c.w.WriteHeader(http.StatusOK)
	return nil
}

// requireBucket returns state.ErrNotFound if the bucket does not exist.
func (c *call) requireBucket() error {
	has, err := c.db.HasBucket(c.bucket)
	if err == nil && !has {
		err = state.ErrNotFound
	}
	return err
}

func (c *call) headBucket() error {
	region, err := c.region(c.bucket)
	if err != nil {
		return err
	}
	c.w.Header().Set("X-Amz-Bucket-Region", region)
	c.w.WriteHeader(http.StatusOK)
	return nil
}

func (c *call) deleteBucket() error {
	err := c.db.DeleteBucket(c.bucket)
	if errors.Is(err, state.ErrNotEmpty) {
		return newError(http.StatusConflict, "BucketNotEmpty", "The bucket you tried to delete is not empty")
	}
	if err == nil {
		c.w.WriteHeader(http.StatusNoContent)
	}
	return err
}

func (c *call) bucketLocation() error {
	region, err := c.region(c.bucket)
	if err != nil {
		return err
	}
	if region == defaultRegion {
		region = ""
	}
	c.respond(http.StatusOK, struct {
		XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ LocationConstraint"`
		Text    string   `xml:",chardata"`
	}{Text: region})
	return nil
}

// defaultRegion is the default region of clients and of buckets that were created without a region. GetBucketLocation
// returns an empty location for it.
const defaultRegion = "us-east-1"

// region returns the region that a bucket was created with.
func (c *call) region(bucket string) (string, error) {
	data, err := c.db.Setting(bucket, regionSetting)
	return firstNonEmpty(string(data), defaultRegion), err
}

// describeBucket responds with a document if the bucket exists.
func (c *call) describeBucket(document any) error {
	if err := c.requireBucket(); err != nil {
		return err
	}
	c.respond(http.StatusOK, document)
	return nil
}

// requireTarget returns state.ErrNotFound if the object or bucket of the request does not exist.
func (c *call) requireTarget() error {
	if c.key == "" {
		return c.requireBucket()
	}
	_, err := c.db.Object(c.bucket, c.key, c.version())
	return err
}
