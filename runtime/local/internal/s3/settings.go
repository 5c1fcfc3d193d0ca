package s3

import (
	"encoding/json"
	"encoding/xml"
	"net/http"
	"slices"
)

// Stored settings of a bucket. Scripts that create buckets set ownershipControls and publicAccessBlock. The endpoint
// stores both, although objects always belong to the owner and are never public. With a public access block, a public
// ACL is rejected with the error of S3.
const (
	regionSetting    = "region"
	ownershipSetting = "ownershipControls"
	accessSetting    = "publicAccessBlock"
)

// putSetting stores a setting of the bucket.
func (c *call) putSetting(name string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return c.db.PutSetting(c.bucket, name, data)
}

// getSetting reads a setting into v, and reports whether it is set.
func (c *call) getSetting(name string, v any) (bool, error) {
	data, err := c.db.Setting(c.bucket, name)
	if err != nil || data == nil {
		return false, err
	}
	return true, json.Unmarshal(data, v)
}

// deleteSetting handles DELETE of a setting. It succeeds even if the setting is not set or not supported.
func deleteSetting(name string) operation {
	return func(c *call) error {
		err := c.db.PutSetting(c.bucket, name, nil)
		if err == nil {
			c.w.WriteHeader(http.StatusNoContent)
		}
		return err
	}
}

// notConfigured handles GET of a setting that no bucket has, because the endpoint rejects PUT of this setting.
func notConfigured(code, message string) operation {
	return func(c *call) error {
		if err := c.requireBucket(); err != nil {
			return err
		}
		return newError(http.StatusNotFound, code, message)
	}
}

// fixedDocument handles GET of a setting that is the same for all buckets.
func fixedDocument(document any) operation {
	return func(c *call) error { return c.describeBucket(document) }
}

// noObjectLock handles requests for the locks of an object. No bucket supports Object Lock.
func (c *call) noObjectLock() error {
	if err := c.requireTarget(); err != nil {
		return err
	}
	return invalidRequest("Bucket is missing Object Lock Configuration")
}

type rootElement struct{ XMLName xml.Name }

// emptyDocument returns a document without elements.
func emptyDocument(name string) rootElement {
	return rootElement{xml.Name{Space: "http://s3.amazonaws.com/doc/2006-03-01/", Local: name}}
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
	return c.putSetting(ownershipSetting, in)
}

func (c *call) getOwnership() error {
	var out ownershipControls
	has, err := c.getSetting(ownershipSetting, &out)
	if err == nil && !has {
		err = newError(http.StatusNotFound, "OwnershipControlsNotFoundError", "The bucket ownership controls were not found")
	}
	if err == nil {
		c.respond(http.StatusOK, out)
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
	return c.putSetting(accessSetting, in)
}

func (c *call) getPublicAccess() error {
	var out publicAccess
	has, err := c.getSetting(accessSetting, &out)
	if err == nil && !has {
		err = newError(http.StatusNotFound, "NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found")
	}
	if err == nil {
		c.respond(http.StatusOK, out)
	}
	return err
}

func (c *call) blocksPublicACLs() bool {
	var block publicAccess
	_, err := c.getSetting(accessSetting, &block)
	return err == nil && block.BlockPublicAcls
}
