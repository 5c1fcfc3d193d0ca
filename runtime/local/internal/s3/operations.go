package s3

import (
	"net/http"
	"slices"
	"strings"
)

// operation answers a request, or says why not.
type operation func(*call) error

// operations are what the store does, by what a request is about, its method and its subresource.
var operations = map[string]operation{
	"service GET": (*call).listBuckets,

	"bucket PUT":            (*call).createBucket,
	"bucket HEAD":           (*call).headBucket,
	"bucket DELETE":         (*call).deleteBucket,
	"bucket GET":            (*call).listObjects,
	"bucket GET versions":   (*call).listVersions,
	"bucket GET location":   (*call).bucketLocation,
	"bucket GET versioning": (*call).getVersioning,
	"bucket PUT versioning": (*call).putVersioning,
	"bucket GET acl":        (*call).getACL,
	"bucket PUT acl":        (*call).putACL,
	"bucket GET tagging":    (*call).getBucketTags,
	"bucket PUT tagging":    (*call).putBucketTags,
	"bucket DELETE tagging": forget(tagSetting),
	"bucket GET uploads":    (*call).listUploads,
	"bucket POST delete":    (*call).deleteObjects,

	"bucket GET ownershipControls":    (*call).getOwnership,
	"bucket PUT ownershipControls":    (*call).putOwnership,
	"bucket DELETE ownershipControls": forget(ownershipSetting),
	"bucket GET publicAccessBlock":    (*call).getPublicAccess,
	"bucket PUT publicAccessBlock":    (*call).putPublicAccess,
	"bucket DELETE publicAccessBlock": forget(accessSetting),
	"bucket GET cors":                 unset("NoSuchCORSConfiguration", "The CORS configuration does not exist"),
	"bucket DELETE cors":              forget("cors"),
	"bucket GET encryption":           unset("ServerSideEncryptionConfigurationNotFoundError", "The server side encryption configuration was not found"),
	"bucket DELETE encryption":        forget("encryption"),
	"bucket GET lifecycle":            unset("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist"),
	"bucket DELETE lifecycle":         forget("lifecycle"),
	"bucket GET object-lock":          unset("ObjectLockConfigurationNotFoundError", "Object Lock configuration does not exist for this bucket"),
	"bucket GET policy":               unset("NoSuchBucketPolicy", "The bucket policy does not exist"),
	"bucket DELETE policy":            forget("policy"),
	"bucket GET replication":          unset("ReplicationConfigurationNotFoundError", "The replication configuration was not found"),
	"bucket DELETE replication":       forget("replication"),
	"bucket GET website":              unset("NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration"),
	"bucket DELETE website":           forget("website"),
	"bucket GET accelerate":           always(empty("AccelerateConfiguration")),
	"bucket GET logging":              always(empty("BucketLoggingStatus")),
	"bucket GET notification":         always(empty("NotificationConfiguration")),
	"bucket GET policyStatus":         always(policyStatus{}),
	"bucket GET requestPayment":       always(payment{Payer: "BucketOwner"}),
	"object GET legal-hold":           (*call).unlocked,
	"object PUT legal-hold":           (*call).unlocked,
	"object GET retention":            (*call).unlocked,
	"object PUT retention":            (*call).unlocked,

	"object GET":             (*call).getObject,
	"object HEAD":            (*call).getObject,
	"object PUT":             (*call).putObject,
	"object DELETE":          (*call).deleteObject,
	"object GET attributes":  (*call).objectAttributes,
	"object GET acl":         (*call).getACL,
	"object PUT acl":         (*call).putACL,
	"object GET tagging":     (*call).getObjectTags,
	"object PUT tagging":     (*call).putObjectTags,
	"object DELETE tagging":  (*call).deleteObjectTags,
	"object POST uploads":    (*call).startUpload,
	"object GET uploadId":    (*call).listParts,
	"object PUT uploadId":    (*call).putPart,
	"object POST uploadId":   (*call).completeUpload,
	"object DELETE uploadId": (*call).abortUpload,
}

// subresources are query parameters that make another operation of a request. One that is not in operations is refused:
// the object itself would be read or overwritten otherwise.
var subresources = []string{
	"abac", "accelerate", "acl", "analytics", "annotation", "append", "attributes", "cors", "delete", "encryption", "intelligent-tiering", "inventory",
	"legal-hold", "lifecycle", "location", "logging", "metadataAnnotationTable", "metadataConfiguration",
	"metadataInventoryTable", "metadataJournalTable", "metadataTable", "metrics", "notification",
	"object-lock", "ownershipControls", "policy", "policyStatus", "publicAccessBlock", "renameObject", "replication",
	"requestPayment", "restore", "retention", "select", "session", "tagging", "torrent", "uploadId", "uploads", "versioning",
	"versions", "website",
}

// operation names what a request asks for.
func (c *call) operation() string {
	about := "object"
	switch {
	case c.bucket == "":
		about = "service"
	case c.key == "":
		about = "bucket"
	}
	name := about + " " + c.r.Method
	for _, sub := range subresources {
		if c.q.Has(sub) {
			name += " " + sub
		}
	}
	return name
}

func (c *call) notImplemented(name string) error {
	words := strings.Fields(name)
	switch {
	case len(words) > 2:
		return notImplemented("'" + strings.Join(words[2:], "', '") + "' for " + words[1])
	case name == "bucket POST":
		return refuse(http.StatusPreconditionFailed, "PreconditionFailed", "Bucket POST must be of the enclosure-type multipart/form-data")
	case name == "service PUT", name == "service DELETE":
		return refuse(http.StatusBadRequest, "InvalidBucketName", "The specified bucket is not valid.")
	}
	return refuse(http.StatusMethodNotAllowed, "MethodNotAllowed", "The specified method is not allowed against this resource.")
}

// known are the headers x-amz-* that are acted on, or that change nothing that a client could miss.
var known = []string{
	"x-amz-api-version", "x-amz-bypass-governance-retention", "x-amz-checksum-mode", "x-amz-checksum-type", "x-amz-content-sha256", "x-amz-copy-source",
	"x-amz-copy-source-if-match", "x-amz-copy-source-if-modified-since", "x-amz-copy-source-if-none-match",
	"x-amz-copy-source-if-unmodified-since", "x-amz-copy-source-range", "x-amz-date", "x-amz-decoded-content-length",
	"x-amz-max-parts", "x-amz-metadata-directive", "x-amz-mp-object-size", "x-amz-object-attributes",
	"x-amz-optional-object-attributes", "x-amz-part-number-marker", "x-amz-request-payer",
	"x-amz-security-token", "x-amz-tagging", "x-amz-tagging-directive", "x-amz-te", "x-amz-trailer", "x-amz-user-agent",
	"x-amz-website-redirect-location",
}

// accepted are the values of headers that ask for what the store does anyway.
var accepted = map[string][]string{
	"x-amz-acl":                          {"private", "bucket-owner-full-control", "bucket-owner-read"},
	"x-amz-bucket-object-lock-enabled":   {"false"},
	"x-amz-expected-bucket-owner":        {ownerID},
	"x-amz-object-ownership":             ownerships,
	"x-amz-source-expected-bucket-owner": {ownerID},
	"x-amz-storage-class":                {"STANDARD"},
}

// conditions are the headers that make an operation depend on the object that is there, by operation.
var conditions = map[string][]string{
	"object GET":           {"If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "If-Range"},
	"object HEAD":          {"If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "If-Range"},
	"object PUT":           {"If-Match", "If-None-Match"},
	"object POST uploadId": {"If-Match", "If-None-Match"},
	"object DELETE":        {"If-Match", "X-Amz-If-Match-Last-Modified-Time", "X-Amz-If-Match-Size"},
}

// ofVersions are the operations on one version of an object.
var ofVersions = []string{
	"object GET", "object HEAD", "object DELETE", "object GET attributes", "object GET acl", "object PUT acl",
	"object GET tagging", "object PUT tagging", "object DELETE tagging",
	"object GET retention", "object PUT retention", "object GET legal-hold", "object PUT legal-hold",
}

// understood refuses a request with a header that would have to be ignored. A read may carry what is not known: nothing
// gets lost.
func (c *call) understood(name string) error {
	reads := c.r.Method == http.MethodGet || c.r.Method == http.MethodHead
	for header := range c.r.Header {
		lower := strings.ToLower(header)
		values, restricted := accepted[lower]
		switch {
		case slices.Contains(conditions[name], header):
		case strings.HasPrefix(header, "If-") && !reads,
			strings.HasPrefix(lower, "x-amz-if-"):
			return notImplemented("'" + header + "' here")
		case restricted && slices.Contains(values, c.r.Header.Get(header)):
		case restricted && lower == "x-amz-storage-class":
			return refuse(http.StatusBadRequest, "InvalidStorageClass", "The storage class you specified is not valid")
		case restricted && strings.HasSuffix(lower, "-bucket-owner"):
			return refuse(http.StatusForbidden, "AccessDenied", "Access Denied")
		case restricted && lower == "x-amz-acl" && !slices.Contains(cannedACLs, c.r.Header.Get(header)):
			return invalidArgument("The canned access control list is not valid.")
		case restricted && lower == "x-amz-acl" && c.blocksPublicACLs():
			return refuse(http.StatusForbidden, "AccessDenied", "User is not authorized to set public access control lists because they are blocked by the BlockPublicAcls setting")
		case restricted:
			return notImplemented("'" + header + ": " + c.r.Header.Get(header) + "'")
		case lower == "x-amz-checksum-algorithm", lower == "x-amz-sdk-checksum-algorithm":
			if newChecksum(strings.ToLower(c.r.Header.Get(header))) == nil {
				return invalidRequest("Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]")
			}
		case !strings.HasPrefix(lower, "x-amz-"), strings.HasPrefix(lower, "x-amz-meta-"), slices.Contains(known, lower):
		case strings.HasPrefix(lower, checksumPrefix):
			if newChecksum(strings.TrimPrefix(lower, checksumPrefix)) == nil {
				return notImplemented("'" + header + "'")
			}
		case reads && !strings.HasPrefix(lower, "x-amz-server-side-"):
		default:
			return notImplemented("'" + header + "'")
		}
	}
	switch {
	case !c.q.Has("versionId"):
		return nil
	case !slices.Contains(ofVersions, name):
		return invalidArgument("This operation does not accept a version-id.")
	}
	return validVersion(c.version())
}
