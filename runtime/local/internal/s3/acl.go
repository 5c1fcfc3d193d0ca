package s3

import (
	"encoding/xml"
	"net/http"
)

// cannedACLs are the valid values of x-amz-acl. Only those in acceptedValues are implemented.
var cannedACLs = []string{
	"private", "public-read", "public-read-write", "authenticated-read", "aws-exec-read", "bucket-owner-read",
	"bucket-owner-full-control", "log-delivery-write",
}

// acl is the only access control list that the endpoint supports: full control for the owner.
type acl struct {
	XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ AccessControlPolicy"`
	Owner   *owner
	Grant   struct {
		Grantee struct {
			XSI  string `xml:"xmlns:xsi,attr"`
			Type string `xml:"xsi:type,attr"`
			owner
		}
		Permission string
	} `xml:"AccessControlList>Grant"`
}

func (c *call) getACL() error {
	if err := c.requireTarget(); err != nil {
		return err
	}
	out := acl{Owner: localOwner}
	g := &out.Grant
	g.Grantee.XSI, g.Grantee.Type, g.Grantee.owner, g.Permission = "http://www.w3.org/2001/XMLSchema-instance", "CanonicalUser", *localOwner, "FULL_CONTROL"
	c.respond(http.StatusOK, out)
	return nil
}

// putACL accepts only the supported access control list, and changes nothing.
func (c *call) putACL() error {
	if err := c.requireTarget(); err != nil {
		return err
	}
	if c.r.Header.Get("X-Amz-Acl") == "" {
		if err := c.readACL(); err != nil {
			return err
		}
	}
	c.w.WriteHeader(http.StatusOK)
	return nil
}

// readACL reads the document of a request. It returns an error if the list differs from the one that getACL returns.
func (c *call) readACL() error {
	var in struct {
		XMLName xml.Name `xml:"AccessControlPolicy"`
		Owner   owner
		Grant   []struct {
			Grantee    struct{ ID, EmailAddress, URI string }
			Permission string
		} `xml:"AccessControlList>Grant"`
	}
	if err := c.document(&in); err != nil {
		return err
	}
	if in.Owner.ID != ownerID {
		return newError(http.StatusForbidden, "AccessDenied", "Access Denied")
	}
	fullControl := false
	for _, g := range in.Grant {
		switch {
		case g.Grantee.EmailAddress != "":
			return newError(http.StatusBadRequest, "UnresolvableGrantByEmailAddress", "The e-mail address you provided does not match any account on record.")
		case g.Grantee.URI == "" && g.Grantee.ID != ownerID:
			return invalidArgument("Invalid id")
		}
		fullControl = fullControl || g.Grantee.ID == ownerID && g.Permission == "FULL_CONTROL"
	}
	if !fullControl || len(in.Grant) != 1 {
		return notImplemented("access control lists other than 'private'")
	}
	return nil
}
