package storage

import (
	"github.com/IBM/ibm-cos-sdk-go/aws"
	"github.com/IBM/ibm-cos-sdk-go/aws/request"
	"github.com/IBM/ibm-cos-sdk-go/service/s3"
)

// operation is a method of the S3 client of the SDK. It returns after the response has arrived.
type operation[In, Out any] func(aws.Context, *In, ...request.Option) (*Out, error)

// operations holds the S3 operations that this package uses. A Store holds them instead of the S3 client because the
// program uses text/template, which looks up methods by name. The linker therefore keeps every method of a type that
// is reachable from an interface. The client has about 200 methods, which add a megabyte to the binary together with
// their input and output types.
type operations struct {
	headBucket           operation[s3.HeadBucketInput, s3.HeadBucketOutput]
	createBucket         operation[s3.CreateBucketInput, s3.CreateBucketOutput]
	getObject            operation[s3.GetObjectInput, s3.GetObjectOutput]
	putObject            operation[s3.PutObjectInput, s3.PutObjectOutput]
	deleteObject         operation[s3.DeleteObjectInput, s3.DeleteObjectOutput]
	deleteObjects        operation[s3.DeleteObjectsInput, s3.DeleteObjectsOutput]
	listObjectsV2        operation[s3.ListObjectsV2Input, s3.ListObjectsV2Output]
	listObjectVersions   operation[s3.ListObjectVersionsInput, s3.ListObjectVersionsOutput]
	listMultipartUploads operation[s3.ListMultipartUploadsInput, s3.ListMultipartUploadsOutput]
	abortMultipartUpload operation[s3.AbortMultipartUploadInput, s3.AbortMultipartUploadOutput]
	versioningRequest    func(*s3.GetBucketVersioningInput) (*request.Request, *s3.GetBucketVersioningOutput)
}

func operationsOf(c *s3.S3) operations {
	return operations{
		headBucket:           c.HeadBucketWithContext,
		createBucket:         c.CreateBucketWithContext,
		getObject:            c.GetObjectWithContext,
		putObject:            c.PutObjectWithContext,
		deleteObject:         c.DeleteObjectWithContext,
		deleteObjects:        c.DeleteObjectsWithContext,
		listObjectsV2:        c.ListObjectsV2WithContext,
		listObjectVersions:   c.ListObjectVersionsWithContext,
		listMultipartUploads: c.ListMultipartUploadsWithContext,
		abortMultipartUpload: c.AbortMultipartUploadWithContext,
		versioningRequest:    c.GetBucketVersioningRequest,
	}
}
