package s3

import (
	"encoding/json"
	"encoding/xml"
	"net/http"
	"slices"
)

// Settings of a bucket that are kept. The last two say whose objects are and whether others may read them, which is the
// owner's and no in any case: scripts that make buckets set them, and a public list is refused with S3's reason after that.
const (
	regionSetting    = "region"
	ownershipSetting = "ownershipControls"
	accessSetting    = "publicAccessBlock"
)

// keep stores a setting of the bucket.
func (c *call) keep(name string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return c.db.PutSetting(c.bucket, name, data)
}

// kept reads a setting into v, and reports whether the bucket has it.
func (c *call) kept(name string, v any) (bool, error) {
	data, err := c.db.Setting(c.bucket, name)
	if err != nil || data == nil {
		return false, err
	}
	return true, json.Unmarshal(data, v)
}

// forget answers the DELETE of a setting, which may not be there, or is one that no bucket has.
func forget(name string) operation {
	return func(c *call) error {
		err := c.db.PutSetting(c.bucket, name, nil)
		if err == nil {
			c.w.WriteHeader(http.StatusNoContent)
		}
		return err
	}
}

// unset answers the GET of a setting that no bucket has, since what would make one is refused.
func unset(code, message string) operation {
	return func(c *call) error {
		if err := c.needBucket(); err != nil {
			return err
		}
		return refuse(http.StatusNotFound, code, message)
	}
}

// always answers the GET of a setting that is the same for all buckets.
func always(document any) operation {
	return func(c *call) error { return c.describeBucket(document) }
}

// unlocked answers what is asked of the locks of an object: no bucket has locks.
func (c *call) unlocked() error {
	if err := c.needTarget(); err != nil {
		return err
	}
	return invalidRequest("Bucket is missing Object Lock Configuration")
}

type named struct{ XMLName xml.Name }

// empty is a document without elements.
func empty(name string) named {
	return named{xml.Name{Space: "http://s3.amazonaws.com/doc/2006-03-01/", Local: name}}
}

type payment struct {
	XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ RequestPaymentConfiguration"`
	Payer   string
}

type policyStatus struct {
	XMLName  xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ PolicyStatus"`
	IsPublic bool
}

type ownershipRule struct{ ObjectOwnership string }

type ownershipControls struct {
	XMLName xml.Name `xml:"OwnershipControls" json:"-"`
	Rule    []ownershipRule
}

var ownerships = []string{"BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"}

func (c *call) putOwnership() error {
	var in ownershipControls
	if err := c.document(&in); err != nil {
		return err
	}
	if len(in.Rule) != 1 || !slices.Contains(ownerships, in.Rule[0].ObjectOwnership) {
		return malformedXML()
	}
	return c.keep(ownershipSetting, in)
}

func (c *call) getOwnership() error {
	var out ownershipControls
	has, err := c.kept(ownershipSetting, &out)
	if err == nil && !has {
		err = refuse(http.StatusNotFound, "OwnershipControlsNotFoundError", "The bucket ownership controls were not found")
	}
	if err == nil {
		c.answer(http.StatusOK, out)
	}
	return err
}

type publicAccess struct {
	XMLName               xml.Name `xml:"PublicAccessBlockConfiguration" json:"-"`
	BlockPublicAcls       bool
	IgnorePublicAcls      bool
	BlockPublicPolicy     bool
	RestrictPublicBuckets bool
}

func (c *call) putPublicAccess() error {
	var in publicAccess
	if err := c.document(&in); err != nil {
		return err
	}
	return c.keep(accessSetting, in)
}

func (c *call) getPublicAccess() error {
	var out publicAccess
	has, err := c.kept(accessSetting, &out)
	if err == nil && !has {
		err = refuse(http.StatusNotFound, "NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found")
	}
	if err == nil {
		c.answer(http.StatusOK, out)
	}
	return err
}

func (c *call) blocksPublicACLs() bool {
	var block publicAccess
	_, err := c.kept(accessSetting, &block)
	return err == nil && block.BlockPublicAcls
}
