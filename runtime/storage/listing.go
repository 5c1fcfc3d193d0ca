package storage

import (
	"encoding/xml"
	"time"

	"github.com/IBM/ibm-cos-sdk-go/aws"
	"github.com/IBM/ibm-cos-sdk-go/aws/awserr"
	"github.com/IBM/ibm-cos-sdk-go/aws/request"
	"github.com/IBM/ibm-cos-sdk-go/private/protocol/restxml"
	"github.com/IBM/ibm-cos-sdk-go/service/s3"
)

// listing is the part of a ListObjectsV2 response that is used here.
type listing struct {
	Name                  *string
	IsTruncated           *bool
	NextContinuationToken *string
	Contents              []struct {
		Key          string
		Size         int64
		LastModified time.Time
	}
	CommonPrefixes []struct{ Prefix string }
}

// decodeListing decodes a listing directly into the output structure. The decoder of the SDK first builds a tree of
// the whole document, which took half of the CPU time of a purge and most of its memory.
func decodeListing(r *request.Request) {
	r.Handlers.Unmarshal.SwapNamed(request.NamedHandler{Name: restxml.UnmarshalHandler.Name, Fn: func(r *request.Request) {
		defer r.HTTPResponse.Body.Close()
		var l listing
		if err := xml.NewDecoder(r.HTTPResponse.Body).Decode(&l); err != nil {
			r.Error = awserr.NewRequestFailure(awserr.New(request.ErrCodeSerialization, "cannot decode the listing", err),
				r.HTTPResponse.StatusCode, r.RequestID)
			return
		}
		out := r.Data.(*s3.ListObjectsV2Output)
		out.Name, out.IsTruncated, out.NextContinuationToken = l.Name, l.IsTruncated, l.NextContinuationToken
		objects := make([]s3.Object, len(l.Contents))
		out.Contents = make([]*s3.Object, len(l.Contents))
		for i := range l.Contents {
			c := &l.Contents[i]
			objects[i] = s3.Object{Key: &c.Key, Size: &c.Size, LastModified: &c.LastModified}
			out.Contents[i] = &objects[i]
		}
		for _, p := range l.CommonPrefixes {
			out.CommonPrefixes = append(out.CommonPrefixes, &s3.CommonPrefix{Prefix: aws.String(p.Prefix)})
		}
	}})
}
