package storage

import (
	"context"

	"github.com/IBM/ibm-cos-sdk-go/aws"
	"github.com/IBM/ibm-cos-sdk-go/service/s3"
	"golang.org/x/sync/errgroup"

	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/transport"
)

// aborters is how many multipart uploads are aborted at the same time: S3 has no batch for it.
const aborters = 16

// abortUploads ends the unfinished multipart uploads below the prefixes, which are invisible in lists and yet are paid
// for.
func (p *purge) abortUploads(ctx context.Context) error {
	for _, prefix := range p.prefixes {
		if err := p.abortBelow(ctx, prefix); err != nil {
			return err
		}
	}
	return nil
}

func (p *purge) abortBelow(ctx context.Context, prefix string) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(aborters)
	in := &s3.ListMultipartUploadsInput{Bucket: &p.store.o.Bucket, Prefix: aws.String(prefix)}
	listErr := func() error {
		for range transport.MaxPages {
			out, err := p.store.s3.listMultipartUploads(ctx, in)
			if unsupported(err) {
				return nil
			}
			if err != nil {
				return p.store.explain(ctx, bucketSubject, err)
			}
			if out.Bucket == nil && out.IsTruncated == nil {
				return p.store.unreadable()
			}
			if err := p.page(len(out.Uploads)); err != nil {
				return err
			}
			for _, u := range out.Uploads {
				if err := p.store.within(prefix, aws.StringValue(u.Key)); err != nil {
					return err
				}
				if p.old(item{changed: aws.TimeValue(u.Initiated)}) {
					g.Go(func() error { return p.abort(ctx, u) })
				}
			}
			if !aws.BoolValue(out.IsTruncated) {
				return nil
			}
			key, id := aws.StringValue(out.NextKeyMarker), aws.StringValue(out.NextUploadIdMarker)
			if key == "" || (key == aws.StringValue(in.KeyMarker) && id == aws.StringValue(in.UploadIdMarker)) {
				return p.store.endless()
			}
			in.KeyMarker, in.UploadIdMarker = aws.String(key), aws.String(id)
		}
		return p.store.endless()
	}()
	if err := g.Wait(); err != nil {
		return err
	}
	return listErr
}

func (p *purge) abort(ctx context.Context, u *s3.MultipartUpload) error {
	if !p.sweep.DryRun {
		_, err := p.store.s3.abortMultipartUpload(ctx,
			&s3.AbortMultipartUploadInput{Bucket: &p.store.o.Bucket, Key: u.Key, UploadId: u.UploadId})
		err = p.store.explain(ctx, objectSubject(aws.StringValue(u.Key)), err)
		if err != nil && !fault.Is(err, fault.NotFound) {
			p.fail(aws.StringValue(u.Key), err.Error())
			return err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.uploads++
	return nil
}
