package s3

import (
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/johannesboyne/gofakes3"

	"fn-runtime/runtime/local/internal/state"
)

// backend keeps gofakes3's buckets and objects in the endpoint's state.
type backend struct{ db *state.DB }

var _ gofakes3.Backend = backend{}

// fail turns the errors of the state into those of S3.
func fail(err error, bucket, key string) error {
	switch {
	case errors.Is(err, state.ErrNotFound) && key != "":
		return gofakes3.KeyNotFound(key)
	case errors.Is(err, state.ErrNotFound):
		return gofakes3.BucketNotFound(bucket)
	case errors.Is(err, state.ErrNotEmpty):
		return gofakes3.ResourceError(gofakes3.ErrBucketNotEmpty, bucket)
	case errors.Is(err, state.ErrExists):
		return gofakes3.ResourceError(gofakes3.ErrBucketAlreadyExists, bucket)
	case errors.Is(err, state.ErrFull):
		return gofakes3.ErrorMessage("InsufficientStorage", fullText)
	}
	return err
}

func (b backend) ListBuckets() ([]gofakes3.BucketInfo, error) {
	list, err := b.db.Buckets()
	out := make([]gofakes3.BucketInfo, 0, len(list))
	for _, x := range list {
		out = append(out, gofakes3.BucketInfo{Name: x.Name, CreationDate: gofakes3.NewContentTime(x.Created)})
	}
	return out, err
}

// ListBucket is not called: list.go answers listings, because gofakes3 knows no encoding-type.
func (b backend) ListBucket(string, *gofakes3.Prefix, gofakes3.ListBucketPage) (*gofakes3.ObjectList, error) {
	return nil, gofakes3.ErrNotImplemented
}

func (b backend) CreateBucket(name string) error { return fail(b.db.CreateBucket(name), name, "") }

func (b backend) BucketExists(name string) (bool, error) { return b.db.HasBucket(name) }

func (b backend) DeleteBucket(name string) error { return fail(b.db.DeleteBucket(name), name, "") }

func (b backend) ForceDeleteBucket(string) error { return gofakes3.ErrNotImplemented }

func (b backend) GetObject(bucket, name string, rng *gofakes3.ObjectRangeRequest) (*gofakes3.Object, error) {
	var part *gofakes3.ObjectRange
	o, r, err := b.db.Open(bucket, name, func(o state.Object, _ []state.Part) (int64, int64, error) {
		if rng == nil {
			return 0, o.Size, nil
		}
		asked := byteRange{first: rng.Start, last: rng.End}
		switch {
		case rng.FromEnd:
			asked.first = -1
		case rng.End == gofakes3.RangeNoEnd:
			asked.last = o.Size
		}
		offset, length, ok := asked.within(o.Size)
		if !ok {
			return 0, 0, gofakes3.ErrInvalidRange
		}
		part = &gofakes3.ObjectRange{Start: offset, Length: length}
		return offset, length, nil
	})
	if err != nil {
		return nil, fail(err, bucket, name)
	}
	return object(o, r, part)
}

func (b backend) HeadObject(bucket, name string) (*gofakes3.Object, error) {
	o, r, err := b.db.Open(bucket, name, func(state.Object, []state.Part) (int64, int64, error) { return 0, 0, nil })
	if err != nil {
		return nil, fail(err, bucket, name)
	}
	return object(o, r, nil)
}

func object(o state.Object, r io.ReadCloser, part *gofakes3.ObjectRange) (*gofakes3.Object, error) {
	sum, err := hex.DecodeString(strings.Split(o.ETag, "-")[0])
	if err != nil {
		return nil, err
	}
	meta := map[string]string{"Last-Modified": time.UnixMilli(o.Modified).UTC().Format(http.TimeFormat)}
	for k, v := range o.Meta {
		meta[k] = v
	}
	return &gofakes3.Object{Name: o.Key, Metadata: meta, Size: o.Size, Contents: r, Hash: sum, Range: part}, nil
}

// kept are the headers of an upload that come back with the object.
func kept(meta map[string]string) map[string]string {
	out := map[string]string{}
	for k, v := range meta {
		if k != "Last-Modified" && k != "X-Amz-Copy-Source" {
			out[k] = v
		}
	}
	return out
}

func (b backend) PutObject(bucket, name string, meta map[string]string, in io.Reader, size int64, conditions *gofakes3.PutConditions) (gofakes3.PutObjectResult, error) {
	_, err := b.db.Put(bucket, state.Object{Key: name, Meta: kept(meta)}, in, size, func(old, _ *state.Object) error {
		if conditions == nil {
			return nil
		}
		info := &gofakes3.ConditionalObjectInfo{Exists: old != nil}
		if old != nil {
			info.Hash, _ = hex.DecodeString(old.ETag)
		}
		return gofakes3.CheckPutConditions(conditions, info)
	})
	return gofakes3.PutObjectResult{}, fail(err, bucket, "")
}

func (b backend) DeleteObject(bucket, name string) (gofakes3.ObjectDeleteResult, error) {
	return gofakes3.ObjectDeleteResult{}, fail(b.db.Delete(bucket, nil, name), bucket, "")
}

func (b backend) DeleteMulti(bucket string, names ...string) (out gofakes3.MultiDeleteResult, err error) {
	if err := b.db.Delete(bucket, nil, names...); err != nil {
		return out, fail(err, bucket, "")
	}
	for _, name := range names {
		out.Deleted = append(out.Deleted, gofakes3.ObjectID{Key: name})
	}
	return out, nil
}

func (b backend) CopyObject(srcBucket, srcKey, dstBucket, dstKey string, meta map[string]string) (gofakes3.CopyObjectResult, error) {
	return gofakes3.CopyObject(b, srcBucket, srcKey, dstBucket, dstKey, meta)
}
