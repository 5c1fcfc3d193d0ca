package storage

import (
	"context"

	"github.com/IBM/ibm-cos-sdk-go/aws"
	"github.com/IBM/ibm-cos-sdk-go/service/s3"
	"golang.org/x/sync/errgroup"

	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/transport"
)

// parallelAborts is the number of multipart uploads that are aborted in parallel. S3 has no batch request for this.
const parallelAborts = 16

// abortUploads aborts the unfinished multipart uploads below the prefixes. They do not appear in listings, but are
// billed.
func (p *purge) abortUploads(ctx context.Context) error {
	for _, prefix := range p.prefixes {
		if err := p.abortBelow(ctx, prefix); err != nil {
			return err
		}
	}
	return nil
}

// abortBelow aborts the unfinished multipart uploads below one prefix.
func (p *purge) abortBelow(ctx context.Context, prefix string) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallelAborts)
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
				return p.store.unreadableResponse()
			}
			if err := p.countPage(len(out.Uploads)); err != nil {
				return err
			}
			for _, u := range out.Uploads {
				if err := p.store.checkListedKey(prefix, aws.StringValue(u.Key)); err != nil {
					return err
				}
				if p.matchesAge(item{changed: aws.TimeValue(u.Initiated)}) {
					g.Go(func() error { return p.abort(ctx, u) })
				}
			}
			if !aws.BoolValue(out.IsTruncated) {
				return nil
			}
			key, id := aws.StringValue(out.NextKeyMarker), aws.StringValue(out.NextUploadIdMarker)
			if key == "" || (key == aws.StringValue(in.KeyMarker) && id == aws.StringValue(in.UploadIdMarker)) {
				return p.store.endlessListing()
			}
			in.KeyMarker, in.UploadIdMarker = aws.String(key), aws.String(id)
		}
		return p.store.endlessListing()
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
