package storage

import (
	"context"

	"github.com/IBM/ibm-cos-sdk-go/aws"
	"github.com/IBM/ibm-cos-sdk-go/service/s3"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/transport"
)

// deleteBatch deletes up to 1000 items with one request in quiet mode, whose response lists errors only. It returns
// the number of items that were not deleted. err is set if the request failed as a whole or if access was denied for
// every item.
func (p *purge) deleteBatch(ctx context.Context, batch []item) (failed int, err error) {
	in := &s3.DeleteObjectsInput{Bucket: &p.store.o.Bucket, Delete: &s3.Delete{Quiet: aws.Bool(true)}}
	in.Delete.Objects = make([]*s3.ObjectIdentifier, len(batch))
	for i := range batch {
		id := &s3.ObjectIdentifier{Key: &batch[i].key}
		if batch[i].version != "" {
			id.VersionId = &batch[i].version
		}
		in.Delete.Objects[i] = id
	}
	ctx = transport.With(ctx, transport.Call{Repeatable: true}) // deleting a missing key succeeds
	out, err := p.store.s3.deleteObjects(ctx, in)
	if err != nil {
		err = p.store.explain(ctx, bucketSubject, err)
		p.fail(batch[0].key+" ...", err.Error())
		return len(batch), err
	}
	denied := 0
	for _, e := range out.Errors {
		code := aws.StringValue(e.Code)
		if code == s3.ErrCodeNoSuchKey || code == "NoSuchVersion" {
			continue
		}
		if code == "AccessDenied" {
			denied++
		}
		failed++
		p.fail(aws.StringValue(e.Key), code+" "+aws.StringValue(e.Message))
	}
	failed = min(failed, len(batch)) // a response may list more keys than the request
	if denied > 0 && denied == failed && failed == len(batch) {
		err = fault.New(fault.Denied,
			i18n.M("The storage service does not allow these credentials to delete objects from bucket {{.Bucket}}.", "Bucket", p.store.o.Bucket),
			p.store.remedy())
	}
	return failed, err
}
