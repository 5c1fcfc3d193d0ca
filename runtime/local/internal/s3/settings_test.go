package s3

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Scripts that create a bucket set its region, object ownership and public access block, and tools query all possible
// settings. Settings that match the behavior of the endpoint are stored or returned; all others are rejected.
func TestBucketSettings(t *testing.T) {
	s := newStore(t)
	s.want("200", "PUT", "/here", "<CreateBucketConfiguration><LocationConstraint>eu-de</LocationConstraint><Tags><Tag><Key>k</Key><Value>v</Value></Tag></Tags></CreateBucketConfiguration>",
		"x-amz-object-ownership: ObjectWriter")
	s.want("404 NoSuchPublicAccessBlockConfiguration", "GET", "/here?publicAccessBlock", "")
	s.want("200", "PUT", "/here?publicAccessBlock", "<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls></PublicAccessBlockConfiguration>")
	s.want("403 AccessDenied", "PUT", "/here/k", "x", "x-amz-acl: public-read")
	s.want("501 NotImplemented", "PUT", "/bucket/k", "x", "x-amz-acl: public-read")
	got := map[string]string{}
	for target, name := range map[string]string{
		"/here?location": "LocationConstraint", "/here?tagging": "Value", "/here?ownershipControls": "ObjectOwnership",
		"/here?publicAccessBlock": "BlockPublicAcls", "/here?policyStatus": "IsPublic", "/here?requestPayment": "Payer",
	} {
		got[target] = element(s.want("200", "GET", target, ""), name)
	}
	want := map[string]string{
		"/here?location": "eu-de", "/here?tagging": "v", "/here?ownershipControls": "ObjectWriter",
		"/here?publicAccessBlock": "true", "/here?policyStatus": "false", "/here?requestPayment": "BucketOwner",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := s.want("200", "HEAD", "/here", "").Header().Get("X-Amz-Bucket-Region"); got != "eu-de" {
		t.Errorf("the region of the bucket is %q", got)
	}
	if got := s.want("200", "GET", "/?bucket-region=eu-de", "").Body.String(); !strings.Contains(got, "<Name>here<") || strings.Contains(got, "<Name>bucket<") {
		t.Errorf("the buckets of a region are %s", got)
	}
	s.want("200", "PUT", "/bucket/k", "x")
	for _, c := range []struct{ want, method, target, body string }{
		{"400 MalformedXML", "PUT", "/here?ownershipControls", "<OwnershipControls><Rule><ObjectOwnership>Mine</ObjectOwnership></Rule></OwnershipControls>"},
		{"204", "DELETE", "/here?ownershipControls", ""},
		{"404 OwnershipControlsNotFoundError", "GET", "/here?ownershipControls", ""},
		{"404 NoSuchCORSConfiguration", "GET", "/bucket?cors", ""},
		{"404 NoSuchBucket", "GET", "/none?cors", ""},
		{"204", "DELETE", "/bucket?cors", ""},
		{"404 NoSuchBucket", "DELETE", "/none?cors", ""},
		{"200", "GET", "/bucket?notification", ""},
		{"404 NoSuchBucket", "GET", "/none?notification", ""},
		{"400 InvalidRequest", "GET", "/bucket/k?retention", ""},
		{"404 NoSuchKey", "GET", "/bucket/none?retention", ""},
		{"501 NotImplemented", "PUT", "/bucket?cors", ""},
		{"501 NotImplemented", "PUT", "/directory--x-s3", "<CreateBucketConfiguration><Bucket><Type>Directory</Type></Bucket></CreateBucketConfiguration>"},
		{"501 NotImplemented", "GET", "/bucket?abac", ""},
		{"501 NotImplemented", "PUT", "/bucket?metadataJournalTable", ""},
		{"501 NotImplemented", "PUT", "/bucket?policy", "{}"},
		{"501 NotImplemented", "PUT", "/bucket?lifecycle", ""},
	} {
		s.want(c.want, c.method, c.target, c.body)
	}
}

// The only supported access control list can be written back; all others are rejected.
func TestAccessControlLists(t *testing.T) {
	s := newStore(t)
	list := func(grant string) string {
		return "<AccessControlPolicy><Owner><ID>local</ID></Owner><AccessControlList>" + grant + "</AccessControlList></AccessControlPolicy>"
	}
	for _, c := range []struct{ want, body string }{
		{"200", s.do("GET", "/bucket?acl", "").Body.String()},
		{"501 NotImplemented", list("")},
		{"501 NotImplemented", list("<Grant><Grantee><ID>local</ID></Grantee><Permission>READ</Permission></Grant>")},
		{"501 NotImplemented", list("<Grant><Grantee><URI>http://acs.amazonaws.com/groups/global/AllUsers</URI></Grantee><Permission>READ</Permission></Grant>")},
		{"400 InvalidArgument", list("<Grant><Grantee><ID>other</ID></Grantee><Permission>FULL_CONTROL</Permission></Grant>")},
		{"400 UnresolvableGrantByEmailAddress", list("<Grant><Grantee><EmailAddress>a@b.c</EmailAddress></Grantee><Permission>READ</Permission></Grant>")},
		{"403 AccessDenied", "<AccessControlPolicy><Owner><ID>other</ID></Owner></AccessControlPolicy>"},
	} {
		s.want(c.want, "PUT", "/bucket?acl", c.body)
	}
	s.want("200", "PUT", "/bucket?acl", "", "x-amz-acl: private")
	s.want("501 NotImplemented", "PUT", "/bucket?acl", "", "x-amz-acl: public-read")
	s.want("400 InvalidArgument", "PUT", "/bucket?acl", "", "x-amz-acl: publik")
}
