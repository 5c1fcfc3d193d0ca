package s3

import (
	"crypto/md5" //nolint:gosec // S3's ETag
	"encoding/hex"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/johannesboyne/gofakes3"

	"fn-runtime/runtime/local/internal/state"
)

var _ gofakes3.MultipartBackend = backend{}

func failUpload(err error) error {
	if err == state.ErrNotFound {
		return gofakes3.ErrNoSuchUpload
	}
	return err
}

func (b backend) CreateMultipartUpload(bucket, object string, meta map[string]string) (gofakes3.UploadID, error) {
	u, err := b.db.StartUpload(state.Upload{Bucket: bucket, Key: object, Meta: kept(meta)})
	return gofakes3.UploadID(u.ID), fail(err, bucket, "")
}

func (b backend) UploadPart(bucket, object string, id gofakes3.UploadID, number int, length int64, in io.Reader) (string, error) {
	p, err := b.db.PutPart(bucket, object, string(id), number, in, length, func(*state.Part) {})
	return `"` + p.ETag + `"`, failUpload(err)
}

func (b backend) AbortMultipartUpload(bucket, object string, id gofakes3.UploadID) error {
	return failUpload(b.db.AbortUpload(bucket, object, string(id)))
}

func (b backend) CompleteMultipartUpload(bucket, object string, id gofakes3.UploadID, in *gofakes3.CompleteMultipartUploadRequest) (gofakes3.VersionID, string, error) {
	o, err := b.db.CompleteUpload(bucket, object, string(id), func(_ state.Upload, have []state.Part, _ *state.Object) (state.Object, []state.Part, error) {
		chosen, err := choose(in, have)
		return state.Object{ETag: multipartETag(chosen)}, chosen, err
	})
	return "", `"` + o.ETag + `"`, failUpload(err)
}

func choose(in *gofakes3.CompleteMultipartUploadRequest, have []state.Part) ([]state.Part, error) {
	byNumber := map[int]state.Part{}
	for _, p := range have {
		byNumber[p.Number] = p
	}
	if len(in.Parts) == 0 {
		return nil, gofakes3.ErrorMessage(gofakes3.ErrMalformedXML, "You must specify at least one part.")
	}
	chosen := make([]state.Part, 0, len(in.Parts))
	last := 0
	for _, want := range in.Parts {
		p, ok := byNumber[want.PartNumber]
		switch {
		case want.PartNumber <= last:
			return nil, gofakes3.ErrInvalidPartOrder
		case !ok, strings.Trim(want.ETag, `"`) != p.ETag:
			return nil, gofakes3.ErrorMessagef(gofakes3.ErrInvalidPart, "Part %d is not there or has another ETag.", want.PartNumber)
		}
		last = want.PartNumber
		chosen = append(chosen, p)
	}
	return chosen, nil
}

// multipartETag is the MD5 of the parts' MD5s and their number, as S3 has it.
func multipartETag(parts []state.Part) string {
	sum := md5.New() //nolint:gosec
	for _, p := range parts {
		data, _ := hex.DecodeString(p.ETag)
		sum.Write(data)
	}
	return hex.EncodeToString(sum.Sum(nil)) + "-" + strconv.Itoa(len(parts))
}

func (b backend) ListMultipartUploads(bucket string, marker *gofakes3.UploadListMarker, prefix gofakes3.Prefix, limit int64) (*gofakes3.ListMultipartUploadsResult, error) {
	var list []state.Upload
	err := b.db.Uploads(bucket, prefix.Prefix, "", func(u state.Upload) bool { list = append(list, u); return true })
	if err != nil {
		return nil, fail(err, bucket, "")
	}
	out := &gofakes3.ListMultipartUploadsResult{Bucket: bucket, Delimiter: prefix.Delimiter, Prefix: prefix.Prefix, MaxUploads: limit}
	if marker != nil {
		out.KeyMarker, out.UploadIDMarker = marker.Object, marker.UploadID
	}
	for _, u := range list {
		if !strings.HasPrefix(u.Key, prefix.Prefix) || marker != nil && !after(u, marker) {
			continue
		}
		if int64(len(out.Uploads)) == limit {
			last := out.Uploads[len(out.Uploads)-1]
			out.IsTruncated, out.NextKeyMarker, out.NextUploadIDMarker = true, last.Key, last.UploadID
			break
		}
		out.Uploads = append(out.Uploads, gofakes3.ListMultipartUploadItem{
			Key: u.Key, UploadID: gofakes3.UploadID(u.ID), Initiated: gofakes3.NewContentTime(time.UnixMilli(u.Started)),
		})
	}
	return out, nil
}

func after(u state.Upload, m *gofakes3.UploadListMarker) bool {
	return u.Key > m.Object || u.Key == m.Object && m.UploadID != "" && u.ID > string(m.UploadID)
}

func (b backend) ListParts(bucket, object string, id gofakes3.UploadID, marker int, limit int64) (*gofakes3.ListMultipartUploadPartsResult, error) {
	_, list, err := b.db.Upload(bucket, object, string(id))
	if err != nil {
		return nil, failUpload(err)
	}
	out := &gofakes3.ListMultipartUploadPartsResult{Bucket: bucket, Key: object, UploadID: id, MaxParts: limit, PartNumberMarker: marker}
	for _, p := range list {
		if p.Number <= marker {
			continue
		}
		if int64(len(out.Parts)) == limit {
			out.IsTruncated = true
			break
		}
		out.NextPartNumberMarker = p.Number
		out.Parts = append(out.Parts, gofakes3.ListMultipartUploadPartItem{
			PartNumber: p.Number, ETag: `"` + p.ETag + `"`, Size: p.Size, LastModified: gofakes3.NewContentTime(time.UnixMilli(p.Modified)),
		})
	}
	return out, nil
}
