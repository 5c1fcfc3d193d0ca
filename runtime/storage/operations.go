package storage

import (
	"github.com/IBM/ibm-cos-sdk-go/aws"
	"github.com/IBM/ibm-cos-sdk-go/aws/request"
	"github.com/IBM/ibm-cos-sdk-go/service/s3"
)

// operation is one of S3, as the SDK has it: it waits for the answer.
type operation[In, Out any] func(aws.Context, *In, ...request.Option) (*Out, error)

// operations are those of S3 that are used here. A Store holds them in place of the SDK's client: templates look methods
// up by name, so that the linker keeps every method of a type that can be reached from an interface, and that client has
// two hundred, a megabyte with what they take and give.
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
