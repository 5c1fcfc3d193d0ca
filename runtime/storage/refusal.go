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

// subject is what a request is about: an object, or the bucket itself.
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

// explain makes the fault for an error of the SDK. What the transport said is kept: it knew better.
func (s *Store) explain(ctx context.Context, about subject, err error) error {
	if err == nil {
		return nil
	}
	if f := faultIn(err); f != nil {
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
			"Bucket", bucket, "Words", words(err)), s.remedy()).Because(err)
	case code == request.ErrCodeSerialization:
		return fault.New(fault.Unavailable, i18n.M("The response of the storage service for bucket {{.Bucket}} cannot be read (HTTP status {{.Status}}).",
			"Bucket", bucket, "Status", status), checkEndpoint).Because(err)
	case code == "InvalidBucketName":
		return fault.New(fault.Invalid, i18n.M("The storage service does not accept the bucket name {{.Bucket}}: {{.Words}}", "Bucket", bucket, "Words", words(err)),
			i18n.M("Correct 'storage_bucket' in the Lithops configuration. Use 3 to 63 lowercase letters, digits, dots and hyphens.")).Because(err)
	case code == "BucketRegionError":
		return fault.New(fault.Invalid, i18n.M("Bucket {{.Bucket}} is in another region.", "Bucket", bucket), checkEndpoint).Because(err)
	case status == 0:
		return fault.New(fault.Internal, i18n.M("The request to the storage service could not be sent: {{.Words}}", "Words", words(err)),
			checkEndpoint).Because(err)
	}
	kind, remedy := transport.KindOfStatus(status), checkEndpoint
	switch kind {
	case fault.NotFound: // neither bucket nor key: this is no S3 API
		kind = fault.Unavailable
	case fault.Throttled, fault.Unavailable, fault.Timeout, fault.Conflict:
		remedy = i18n.M("Try again later.")
	}
	return fault.New(kind, i18n.M("The storage service returned {{.Status}} for bucket {{.Bucket}}: {{.Words}}",
		"Status", status, "Bucket", bucket, "Words", words(err)), remedy).Because(err)
}

func (s *Store) remedy() i18n.Message {
	if !s.o.LoginHint.IsZero() {
		return s.o.LoginHint
	}
	return i18n.M("Check the credentials and the bucket in the storage section of the Lithops configuration.")
}

// words are the store's own, made printable.
func words(err error) string {
	said := err.Error()
	if e, ok := errors.AsType[awserr.Error](err); ok {
		said = cmp.Or(e.Message(), e.Code())
	}
	return strings.TrimRight(text.Line(said, 400), ".") + "."
}

// faultIn finds a fault below the SDK's errors, which do not unwrap.
func faultIn(err error) error {
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

// maxKey is how long a key can be in the S3 API, in bytes.
const maxKey = 1024

// within makes sure that a store lists only what it was asked for: what it lists may be deleted next.
func (s *Store) within(prefix, key string) error {
	switch {
	case len(key) > maxKey:
		return s.unreadable()
	case strings.HasPrefix(key, prefix):
		return nil
	}
	return fault.New(fault.Failed,
		i18n.M("The storage service listed the object {{.Key}}, which is not under {{.Prefix}}. The object is unchanged.", "Key", printableKey(key), "Prefix", prefix),
		i18n.M("Check the storage endpoint in the Lithops configuration."))
}

// unreadable is the fault for a success whose body is not what the API promises. The SDK takes anything for an empty
// listing; believing it would report a bucket as empty that has not been looked into.
func (s *Store) unreadable() error {
	return fault.New(fault.Unavailable,
		i18n.M("The response of the storage service for bucket {{.Bucket}} cannot be read (HTTP status {{.Status}}).", "Bucket", s.o.Bucket, "Status", http.StatusOK),
		i18n.M("Check the storage endpoint in the Lithops configuration, then retry."))
}

// endless is the fault for a listing that does not come to an end.
func (s *Store) endless() error {
	return fault.New(fault.Failed,
		i18n.M("The storage service's listing of bucket {{.Bucket}} does not end.", "Bucket", s.o.Bucket),
		i18n.M("Check the storage endpoint in the Lithops configuration."))
}
