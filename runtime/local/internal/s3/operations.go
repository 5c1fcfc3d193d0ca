package s3

import (
	"net/http"
	"slices"
	"strings"
)

// operation handles a request, or returns an error.
type operation func(*call) error

// operations maps "resource method subresource" to the operation that handles it.
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
	"bucket DELETE tagging": deleteSetting(tagSetting),
	"bucket GET uploads":    (*call).listUploads,
	"bucket POST delete":    (*call).deleteObjects,

	"bucket GET ownershipControls":    (*call).getOwnership,
	"bucket PUT ownershipControls":    (*call).putOwnership,
	"bucket DELETE ownershipControls": deleteSetting(ownershipSetting),
	"bucket GET publicAccessBlock":    (*call).getPublicAccess,
	"bucket PUT publicAccessBlock":    (*call).putPublicAccess,
	"bucket DELETE publicAccessBlock": deleteSetting(accessSetting),
	"bucket GET cors":                 notConfigured("NoSuchCORSConfiguration", "The CORS configuration does not exist"),
	"bucket DELETE cors":              deleteSetting("cors"),
	"bucket GET encryption":           notConfigured("ServerSideEncryptionConfigurationNotFoundError", "The server side encryption configuration was not found"),
	"bucket DELETE encryption":        deleteSetting("encryption"),
	"bucket GET lifecycle":            notConfigured("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist"),
	"bucket DELETE lifecycle":         deleteSetting("lifecycle"),
	"bucket GET object-lock":          notConfigured("ObjectLockConfigurationNotFoundError", "Object Lock configuration does not exist for this bucket"),
	"bucket GET policy":               notConfigured("NoSuchBucketPolicy", "The bucket policy does not exist"),
	"bucket DELETE policy":            deleteSetting("policy"),
	"bucket GET replication":          notConfigured("ReplicationConfigurationNotFoundError", "The replication configuration was not found"),
	"bucket DELETE replication":       deleteSetting("replication"),
	"bucket GET website":              notConfigured("NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration"),
	"bucket DELETE website":           deleteSetting("website"),
	"bucket GET accelerate":           fixedDocument(emptyDocument("AccelerateConfiguration")),
	"bucket GET logging":              fixedDocument(emptyDocument("BucketLoggingStatus")),
	"bucket GET notification":         fixedDocument(emptyDocument("NotificationConfiguration")),
	"bucket GET policyStatus":         fixedDocument(policyStatus{}),
	"bucket GET requestPayment":       fixedDocument(payment{Payer: "BucketOwner"}),
	"object GET legal-hold":           (*call).noObjectLock,
	"object PUT legal-hold":           (*call).noObjectLock,
	"object GET retention":            (*call).noObjectLock,
	"object PUT retention":            (*call).noObjectLock,

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

// subresources are the query parameters that select another operation. Requests with a subresource that has no entry in
// operations must be rejected. Otherwise they would read or overwrite the object itself.
var subresources = []string{
	"abac", "accelerate", "acl", "analytics", "annotation", "append", "attributes", "cors", "delete", "encryption", "intelligent-tiering", "inventory",
	"legal-hold", "lifecycle", "location", "logging", "metadataAnnotationTable", "metadataConfiguration",
	"metadataInventoryTable", "metadataJournalTable", "metadataTable", "metrics", "notification",
	"object-lock", "ownershipControls", "policy", "policyStatus", "publicAccessBlock", "renameObject", "replication",
	"requestPayment", "restore", "retention", "select", "session", "tagging", "torrent", "uploadId", "uploads", "versioning",
	"versions", "website",
}

// operationName returns the key of the request in operations.
func (c *call) operationName() string {
	resource := "object"
	switch {
	case c.bucket == "":
		resource = "service"
	case c.key == "":
		resource = "bucket"
	}
	name := resource + " " + c.r.Method
	for _, sub := range subresources {
		if c.q.Has(sub) {
			name += " " + sub
		}
	}
	return name
}

func (c *call) notImplemented(name string) error {
	fields := strings.Fields(name)
	switch {
	case len(fields) > 2:
		return notImplemented("'" + strings.Join(fields[2:], "', '") + "' for " + fields[1])
	case name == "bucket POST":
		return newError(http.StatusPreconditionFailed, "PreconditionFailed", "Bucket POST must be of the enclosure-type multipart/form-data")
	case name == "service PUT", name == "service DELETE":
		return newError(http.StatusBadRequest, "InvalidBucketName", "The specified bucket is not valid.")
	}
	return newError(http.StatusMethodNotAllowed, "MethodNotAllowed", "The specified method is not allowed against this resource.")
}

// supportedHeaders are the x-amz-* headers that are implemented, or that can be ignored without consequences for the
// client.
var supportedHeaders = []string{
	"x-amz-api-version", "x-amz-bypass-governance-retention", "x-amz-checksum-mode", "x-amz-checksum-type", "x-amz-content-sha256", "x-amz-copy-source",
	"x-amz-copy-source-if-match", "x-amz-copy-source-if-modified-since", "x-amz-copy-source-if-none-match",
	"x-amz-copy-source-if-unmodified-since", "x-amz-copy-source-range", "x-amz-date", "x-amz-decoded-content-length",
	"x-amz-max-parts", "x-amz-metadata-directive", "x-amz-mp-object-size", "x-amz-object-attributes",
	"x-amz-optional-object-attributes", "x-amz-part-number-marker", "x-amz-request-payer",
	"x-amz-security-token", "x-amz-tagging", "x-amz-tagging-directive", "x-amz-te", "x-amz-trailer", "x-amz-user-agent",
	"x-amz-website-redirect-location",
}

// acceptedValues maps headers to the only values that are accepted: those that request the behavior of the endpoint.
var acceptedValues = map[string][]string{
	"x-amz-acl":                          {"private", "bucket-owner-full-control", "bucket-owner-read"},
	"x-amz-bucket-object-lock-enabled":   {"false"},
	"x-amz-expected-bucket-owner":        {ownerID},
	"x-amz-object-ownership":             ownerships,
	"x-amz-source-expected-bucket-owner": {ownerID},
	"x-amz-storage-class":                {"STANDARD"},
}

// conditionHeaders maps operations to the headers with conditions on the existing object.
var conditionHeaders = map[string][]string{
	"object GET":           {"If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "If-Range"},
	"object HEAD":          {"If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "If-Range"},
	"object PUT":           {"If-Match", "If-None-Match"},
	"object POST uploadId": {"If-Match", "If-None-Match"},
	"object DELETE":        {"If-Match", "X-Amz-If-Match-Last-Modified-Time", "X-Amz-If-Match-Size"},
}

// versionedOperations are the operations that accept a version ID.
var versionedOperations = []string{
	"object GET", "object HEAD", "object DELETE", "object GET attributes", "object GET acl", "object PUT acl",
	"object GET tagging", "object PUT tagging", "object DELETE tagging",
	"object GET retention", "object PUT retention", "object GET legal-hold", "object PUT legal-hold",
}

// checkHeaders rejects a request with a header that cannot be ignored safely. Reads may have unknown headers, because
// they cannot lose data.
func (c *call) checkHeaders(name string) error {
	reads := c.r.Method == http.MethodGet || c.r.Method == http.MethodHead
	for header := range c.r.Header {
		lower := strings.ToLower(header)
		values, restricted := acceptedValues[lower]
		switch {
		case slices.Contains(conditionHeaders[name], header):
		case strings.HasPrefix(header, "If-") && !reads,
			strings.HasPrefix(lower, "x-amz-if-"):
			return notImplemented("'" + header + "' here")
		case restricted && slices.Contains(values, c.r.Header.Get(header)):
		case restricted && lower == "x-amz-storage-class":
			return newError(http.StatusBadRequest, "InvalidStorageClass", "The storage class you specified is not valid")
		case restricted && strings.HasSuffix(lower, "-bucket-owner"):
			return newError(http.StatusForbidden, "AccessDenied", "Access Denied")
		case restricted && lower == "x-amz-acl" && !slices.Contains(cannedACLs, c.r.Header.Get(header)):
			return invalidArgument("The canned access control list is not valid.")
		case restricted && lower == "x-amz-acl" && c.blocksPublicACLs():
			return newError(http.StatusForbidden, "AccessDenied", "User is not authorized to set public access control lists because they are blocked by the BlockPublicAcls setting")
		case restricted:
			return notImplemented("'" + header + ": " + c.r.Header.Get(header) + "'")
		case lower == "x-amz-checksum-algorithm", lower == "x-amz-sdk-checksum-algorithm":
			if newChecksum(strings.ToLower(c.r.Header.Get(header))) == nil {
				return invalidRequest("Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]")
			}
		case !strings.HasPrefix(lower, "x-amz-"), strings.HasPrefix(lower, "x-amz-meta-"), slices.Contains(supportedHeaders, lower):
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
	case !slices.Contains(versionedOperations, name):
		return invalidArgument("This operation does not accept a version-id.")
	}
	return validVersion(c.version())
}
