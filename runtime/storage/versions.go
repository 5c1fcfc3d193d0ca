package storage

import (
	"context"
	"net/http"

	"github.com/IBM/ibm-cos-sdk-go/aws"
	"github.com/IBM/ibm-cos-sdk-go/service/s3"

	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/transport"
)

// versioned reports whether the bucket contains object versions. A bucket keeps its versions if versioning is
// suspended. The result is false if the store does not support versions or denies access to this setting. onResponse
// receives every response.
func (s *Store) versioned(ctx context.Context, onResponse func(*http.Response) error) (bool, error) {
	req, out := s.s3.versioningRequest(&s3.GetBucketVersioningInput{Bucket: &s.o.Bucket})
	req.SetContext(ctx)
	err := req.Send()
	if req.HTTPResponse != nil {
		if err := onResponse(req.HTTPResponse); err != nil {
			return false, err
		}
	}
	if err != nil {
		f := s.explain(ctx, bucketSubject, err)
		if unsupported(err) || (fault.Is(f, fault.Denied) && statusOf(err) != 0) {
			return false, nil
		}
		return false, f
	}
	return aws.StringValue(out.Status) != "", nil
}

// versionPages returns a function that reads the versions and delete markers of a span page by page.
func (p *purge) versionPages(s span) transport.NextPage[item] {
	in := &s3.ListObjectVersionsInput{Bucket: &p.store.o.Bucket, Prefix: aws.String(s.prefix)}
	if s.after != "" {
		in.KeyMarker = aws.String(s.after)
	}
	return func(ctx context.Context) ([]item, bool, error) {
		out, err := p.store.s3.listObjectVersions(ctx, in)
		if err != nil {
			return nil, false, p.store.explain(ctx, bucketSubject, err)
		}
		if out.Name == nil && out.IsTruncated == nil {
			return nil, false, p.store.unreadableResponse()
		}
		page := make([]item, 0, len(out.Versions)+len(out.DeleteMarkers))
		for _, v := range out.Versions {
			page = append(page, item{key: aws.StringValue(v.Key), version: aws.StringValue(v.VersionId),
				size: aws.Int64Value(v.Size), changed: aws.TimeValue(v.LastModified)})
		}
		for _, m := range out.DeleteMarkers {
			page = append(page, item{key: aws.StringValue(m.Key), version: aws.StringValue(m.VersionId), changed: aws.TimeValue(m.LastModified)})
		}
		if !aws.BoolValue(out.IsTruncated) {
			return page, false, nil
		}
		key, version := aws.StringValue(out.NextKeyMarker), aws.StringValue(out.NextVersionIdMarker)
		if key == "" || (key == aws.StringValue(in.KeyMarker) && version == aws.StringValue(in.VersionIdMarker)) {
			return nil, false, p.store.endlessListing()
		}
		in.KeyMarker, in.VersionIdMarker = aws.String(key), nil
		if version != "" {
			in.VersionIdMarker = aws.String(version)
		}
		return page, true, nil
	}
}
