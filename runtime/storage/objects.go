package storage

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"net/http"

	"github.com/IBM/ibm-cos-sdk-go/aws"
	"github.com/IBM/ibm-cos-sdk-go/service/s3"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/transport"
)

// maxObject is the maximum size of an object that Get reads, in bytes. The metadata of Lithops has about 100 KB.
const maxObject = 16 << 20

// BucketExists reports whether the bucket exists. It returns a fault.Denied error if the bucket belongs to another
// account.
func (s *Store) BucketExists(ctx context.Context) (bool, error) {
	if err := s.ready(ctx); err != nil {
		return false, err
	}
	_, err := s.s3.headBucket(ctx, &s3.HeadBucketInput{Bucket: &s.o.Bucket})
	if statusOf(err) == http.StatusNotFound { // a response to HEAD has no body with an error code
		return false, nil
	}
	return err == nil, s.explain(ctx, bucketSubject, err)
}

// CreateBucket creates the bucket in the same way as Lithops. It returns nil if the account already owns the bucket,
// and a fault.Conflict error if the bucket belongs to another account.
func (s *Store) CreateBucket(ctx context.Context) error {
	if err := s.ready(ctx); err != nil {
		return err
	}
	in := &s3.CreateBucketInput{Bucket: &s.o.Bucket}
	if s.o.AccessKeyID == "" && s.o.ServiceInstanceID != "" {
		in.IBMServiceInstanceId = &s.o.ServiceInstanceID
	}
	if s.o.Location != "" {
		in.CreateBucketConfiguration = &s3.CreateBucketConfiguration{LocationConstraint: &s.o.Location}
	}
	ctx = transport.With(ctx, transport.Call{IsRace: operationAborted})
	_, err := s.s3.createBucket(ctx, in)
	switch codeOf(err) {
	case s3.ErrCodeBucketAlreadyOwnedByYou:
		return nil
	case s3.ErrCodeBucketAlreadyExists: // some stores also return it for a bucket of the same account
		if accessible, headErr := s.BucketExists(ctx); headErr == nil && accessible {
			return nil
		}
		return fault.New(fault.Conflict,
			i18n.M("The bucket name {{.Bucket}} belongs to another owner.", "Bucket", s.o.Bucket),
			i18n.M("Set another 'storage_bucket' in the Lithops configuration, or pass '--bucket NAME'.")).Because(err)
	}
	return s.explain(ctx, bucketSubject, err)
}

// operationAborted reports whether body is the 409 response of S3 to concurrent operations on a bucket.
func operationAborted(body []byte) bool {
	return bytes.Contains(body, []byte("<Code>OperationAborted<"))
}

// Get returns the content of an object of at most 16 MiB. It returns a fault.NotFound error if the object or the
// bucket does not exist, and a fault.TooLarge error if the object is larger.
func (s *Store) Get(ctx context.Context, key string) ([]byte, error) {
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	out, err := s.s3.getObject(ctx, &s3.GetObjectInput{Bucket: &s.o.Bucket, Key: &key})
	if err != nil {
		return nil, s.explain(ctx, objectSubject(key), err)
	}
	defer out.Body.Close()
	data, err := io.ReadAll(io.LimitReader(out.Body, maxObject+1))
	if err != nil {
		return nil, s.explain(ctx, objectSubject(key), err)
	}
	if len(data) > maxObject {
		return nil, fault.New(fault.TooLarge,
			i18n.M("The object {{.Key}} is larger than {{.Size}} bytes.", "Key", printableKey(key), "Size", maxObject),
			i18n.M("This is not an object that Lithops writes. Delete it, then deploy the runtime again."))
	}
	return data, nil
}

// Put writes an object. It returns a fault.NotFound error if the bucket does not exist.
func (s *Store) Put(ctx context.Context, key string, data []byte) error {
	if err := s.ready(ctx); err != nil {
		return err
	}
	ctx = transport.With(ctx, transport.Call{IsRace: operationAborted})
	_, err := s.s3.putObject(ctx, &s3.PutObjectInput{Bucket: &s.o.Bucket, Key: &key, Body: bytes.NewReader(data)})
	return s.explain(ctx, objectSubject(key), err)
}

// Delete deletes an object. It returns nil if the object or the bucket does not exist.
func (s *Store) Delete(ctx context.Context, key string) error {
	if err := s.ready(ctx); err != nil {
		return err
	}
	_, err := s.s3.deleteObject(ctx, &s3.DeleteObjectInput{Bucket: &s.o.Bucket, Key: &key})
	err = s.explain(ctx, objectSubject(key), err)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

// List returns the objects whose keys start with prefix. It requests the next page in advance. If the bucket does not
// exist, the list is empty.
func (s *Store) List(ctx context.Context, prefix string) iter.Seq2[entity.Object, error] {
	if err := s.ready(ctx); err != nil {
		return func(yield func(entity.Object, error) bool) { yield(entity.Object{}, err) }
	}
	in := &s3.ListObjectsV2Input{Bucket: &s.o.Bucket, Prefix: &prefix}
	next := func(ctx context.Context) ([]entity.Object, bool, error) {
		out, err := s.page(ctx, in)
		if fault.Is(err, fault.NotFound) {
			return nil, false, nil
		}
		if err != nil {
			return nil, false, err
		}
		var page []entity.Object
		for _, o := range out.Contents {
			page = append(page, entity.Object{Key: aws.StringValue(o.Key), Size: aws.Int64Value(o.Size), UpdatedAt: aws.TimeValue(o.LastModified)})
		}
		return page, in.ContinuationToken != nil, nil
	}
	return transport.ReadAhead(ctx, next, s.endlessListing)
}

// page reads one page of a listing and sets the continuation token of the request to the next page, or to nil after
// the last page.
func (s *Store) page(ctx context.Context, in *s3.ListObjectsV2Input) (*s3.ListObjectsV2Output, error) {
	out, err := s.s3.listObjectsV2(ctx, in, decodeListing)
	if err != nil {
		return nil, s.explain(ctx, bucketSubject, err)
	}
	if out.Name == nil && out.IsTruncated == nil {
		return nil, s.unreadableResponse()
	}
	for _, o := range out.Contents {
		if err := s.checkListedKey(aws.StringValue(in.Prefix), aws.StringValue(o.Key)); err != nil {
			return nil, err
		}
	}
	token := out.NextContinuationToken
	if !aws.BoolValue(out.IsTruncated) {
		token = nil
	} else if aws.StringValue(token) == "" || aws.StringValue(token) == aws.StringValue(in.ContinuationToken) {
		return nil, s.endlessListing()
	}
	in.ContinuationToken = token
	return out, nil
}

// ready returns an error if the options are invalid, the context is done or the transport is missing.
func (s *Store) ready(ctx context.Context) error {
	if s.err != nil {
		return s.err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.o.Transport == nil {
		return errors.New("storage: no transport")
	}
	return nil
}

// statusOf returns the HTTP status of an error of the SDK. It returns 0 if there was no response.
func statusOf(err error) int {
	var f interface{ StatusCode() int }
	if errors.As(err, &f) {
		return f.StatusCode()
	}
	return 0
}

// unsupported reports whether the store does not implement a request.
func unsupported(err error) bool {
	status := statusOf(err)
	return status == http.StatusNotImplemented || status == http.StatusMethodNotAllowed
}
