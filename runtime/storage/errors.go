package storage

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/IBM/ibm-cos-sdk-go/aws/awserr"
	"github.com/IBM/ibm-cos-sdk-go/aws/request"
	"github.com/IBM/ibm-cos-sdk-go/service/s3"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/text"
	"fn-runtime/runtime/transport"
)

// subject is the key of the object that a request is about, or "" for the bucket.
type subject string

const bucketSubject subject = ""

func objectSubject(key string) subject { return subject(key) }

func printableKey(key string) string { return text.Line(key, 300) }

func codeOf(err error) string {
	if e, ok := errors.AsType[awserr.Error](err); ok {
		return e.Code()
	}
	return ""
}

// explain converts an error of the SDK to a fault. It returns faults of the transport unchanged because they are more
// precise.
func (s *Store) explain(ctx context.Context, about subject, err error) error {
	if err == nil {
		return nil
	}
	if f := findFault(err); f != nil {
		return f
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	status, code := statusOf(err), codeOf(err)
	bucket := s.o.Bucket
	checkEndpoint := i18n.M("Check the storage endpoint in the Lithops configuration, then retry.")
	switch {
	case code == s3.ErrCodeNoSuchBucket:
		return fault.New(fault.NotFound, i18n.M("Bucket {{.Bucket}} does not exist.", "Bucket", bucket),
			i18n.M("Check 'storage_bucket' in the Lithops configuration. 'ibmcloud fn-runtime deploy' creates the bucket.")).Because(err)
	case code == s3.ErrCodeNoSuchKey, code == "NoSuchUpload":
		return fault.New(fault.NotFound, i18n.M("Object {{.Key}} does not exist in bucket {{.Bucket}}.",
			"Key", printableKey(string(about)), "Bucket", bucket), i18n.Message{}).Because(err)
	case code == "RequestTimeTooSkewed":
		return fault.New(fault.Denied, i18n.M("The storage service rejected the request because the clock of this machine is wrong."),
			i18n.M("Correct the system clock, then rerun.")).Because(err)
	case code == "InvalidAccessKeyId", code == "SignatureDoesNotMatch", status == http.StatusUnauthorized, status == http.StatusForbidden:
		return fault.New(fault.Denied, i18n.M("The storage service denied access to bucket {{.Bucket}}: {{.Words}}",
			"Bucket", bucket, "Words", messageOf(err)), s.remedy()).Because(err)
	case code == request.ErrCodeSerialization:
		return fault.New(fault.Unavailable, i18n.M("The response of the storage service for bucket {{.Bucket}} cannot be read (HTTP status {{.Status}}).",
			"Bucket", bucket, "Status", status), checkEndpoint).Because(err)
	case code == "InvalidBucketName":
		return fault.New(fault.Invalid, i18n.M("The storage service does not accept the bucket name {{.Bucket}}: {{.Words}}", "Bucket", bucket, "Words", messageOf(err)),
			i18n.M("Correct 'storage_bucket' in the Lithops configuration. Use 3 to 63 lowercase letters, digits, dots and hyphens.")).Because(err)
	case code == "BucketRegionError":
		return fault.New(fault.Invalid, i18n.M("Bucket {{.Bucket}} is in another region.", "Bucket", bucket), checkEndpoint).Because(err)
	case status == 0:
		return fault.New(fault.Internal, i18n.M("The request to the storage service could not be sent: {{.Words}}", "Words", messageOf(err)),
			checkEndpoint).Because(err)
	}
	kind, remedy := transport.KindOfStatus(status), checkEndpoint
	switch kind {
	case fault.NotFound: // 404 without a code for a bucket or key: not an S3 API
		kind = fault.Unavailable
	case fault.Throttled, fault.Unavailable, fault.Timeout, fault.Conflict:
		remedy = i18n.M("Try again later.")
	}
	return fault.New(kind, i18n.M("The storage service returned {{.Status}} for bucket {{.Bucket}}: {{.Words}}",
		"Status", status, "Bucket", bucket, "Words", messageOf(err)), remedy).Because(err)
}

func (s *Store) remedy() i18n.Message {
	if !s.o.LoginHint.IsZero() {
		return s.o.LoginHint
	}
	return i18n.M("Check the credentials and the bucket in the storage section of the Lithops configuration.")
}

// messageOf returns the error message of the store with printable characters only.
func messageOf(err error) string {
	message := err.Error()
	if e, ok := errors.AsType[awserr.Error](err); ok {
		message = cmp.Or(e.Message(), e.Code())
	}
	return strings.TrimRight(text.Line(message, 400), ".") + "."
}

// findFault returns the fault or context error that an error of the SDK wraps, or nil. The errors of the SDK do not
// implement Unwrap.
func findFault(err error) error {
	for err != nil {
		if f, ok := errors.AsType[*fault.Fault](err); ok {
			return f
		}
		if errors.Is(err, context.Canceled) {
			return context.Canceled
		}
		if errors.Is(err, context.DeadlineExceeded) {
			return context.DeadlineExceeded
		}
		var inner interface{ OrigErr() error }
		if !errors.As(err, &inner) {
			return nil
		}
		err = inner.OrigErr()
	}
	return nil
}

// maxKey is the maximum length of a key in the S3 API, in bytes.
const maxKey = 1024

// checkListedKey returns an error if a listed key does not start with the requested prefix. The caller may delete the
// listed objects next.
func (s *Store) checkListedKey(prefix, key string) error {
	switch {
	case len(key) > maxKey:
		return s.unreadableResponse()
	case strings.HasPrefix(key, prefix):
		return nil
	}
	return fault.New(fault.Failed,
		i18n.M("The storage service listed the object {{.Key}}, which is not under {{.Prefix}}. The object is unchanged.", "Key", printableKey(key), "Prefix", prefix),
		i18n.M("Check the storage endpoint in the Lithops configuration."))
}

// unreadableResponse returns the fault for a successful response whose body does not match the API. The SDK decodes
// any body as an empty listing, so a bucket could be reported as empty although it was never listed.
func (s *Store) unreadableResponse() error {
	return fault.New(fault.Unavailable,
		i18n.M("The response of the storage service for bucket {{.Bucket}} cannot be read (HTTP status {{.Status}}).", "Bucket", s.o.Bucket, "Status", http.StatusOK),
		i18n.M("Check the storage endpoint in the Lithops configuration, then retry."))
}

// endlessListing returns the fault for a listing that does not end.
func (s *Store) endlessListing() error {
	return fault.New(fault.Failed,
		i18n.M("The storage service's listing of bucket {{.Bucket}} does not end.", "Bucket", s.o.Bucket),
		i18n.M("Check the storage endpoint in the Lithops configuration."))
}
