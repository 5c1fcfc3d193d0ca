package s3

import (
	"encoding/xml"
	"net/http"
	"strings"
	"time"

	"fn-runtime/runtime/local/internal/state"
)

type partListing struct {
	XMLName              xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListPartsResult"`
	Bucket               string
	Key                  string
	UploadID             string `xml:"UploadId"`
	Initiator            *owner
	Owner                *owner
	StorageClass         string
	PartNumberMarker     int
	NextPartNumberMarker int `xml:",omitempty"`
	MaxParts             int
	IsTruncated          bool
	ChecksumAlgorithm    string `xml:",omitempty"`
	ChecksumType         string `xml:",omitempty"`
	Part                 []partEntry
}

type partEntry struct {
	PartNumber   int
	LastModified string
	ETag         string
	Size         int64
	sums
}

func (c *call) listParts() error {
	u, err := c.db.Upload(c.bucket, c.key, c.q.Get("uploadId"))
	if err != nil {
		return err
	}
	maxEntries, err := parseLimit(c.q.Get("max-parts"), "max-parts")
	if err != nil {
		return err
	}
	marker, err := parseNumber(firstNonEmpty(c.q.Get("part-number-marker"), "0"), "part-number-marker")
	if err != nil {
		return err
	}
	list, err := c.db.Parts(u.ID)
	if err != nil {
		return err
	}
	out := partListing{
		Bucket: c.bucket, Key: c.key, UploadID: u.ID, Initiator: localOwner, Owner: localOwner, StorageClass: storageClass,
		PartNumberMarker: marker, MaxParts: maxEntries, ChecksumAlgorithm: strings.ToUpper(u.Sum), ChecksumType: u.SumType,
	}
	for _, p := range list {
		if p.Number <= marker {
			continue
		}
		if len(out.Part) == maxEntries {
			out.IsTruncated = true
			break
		}
		out.NextPartNumberMarker = p.Number
		out.Part = append(out.Part, partEntry{p.Number, timestamp(time.UnixMilli(p.Modified)), `"` + p.ETag + `"`, p.Size, sumsOf(p.Sums)})
	}
	c.respond(http.StatusOK, out)
	return nil
}

type uploadListing struct {
	XMLName            xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListMultipartUploadsResult"`
	Bucket             string
	KeyMarker          string
	UploadIDMarker     string `xml:"UploadIdMarker"`
	NextKeyMarker      string `xml:",omitempty"`
	NextUploadIDMarker string `xml:"NextUploadIdMarker,omitempty"`
	Delimiter          string `xml:",omitempty"`
	Prefix             string
	EncodingType       string `xml:",omitempty"`
	MaxUploads         int
	IsTruncated        bool
	Upload             []uploadEntry
	CommonPrefixes     []commonPrefix
}

type uploadEntry struct {
	Key               string
	UploadID          string `xml:"UploadId"`
	Initiator         *owner
	Owner             *owner
	StorageClass      string
	Initiated         string
	ChecksumAlgorithm string `xml:",omitempty"`
	ChecksumType      string `xml:",omitempty"`
}

func (c *call) listUploads() error {
	p, err := c.page("max-uploads")
	if err != nil {
		return err
	}
	marker, idMarker := c.q.Get("key-marker"), c.q.Get("upload-id-marker")
	out := uploadListing{
		Bucket: c.bucket, KeyMarker: p.encode(marker), UploadIDMarker: idMarker, Delimiter: p.encode(p.delimiter), Prefix: p.encode(p.prefix),
		EncodingType: c.q.Get("encoding-type"), MaxUploads: p.maxEntries,
	}
	if err := c.slot.Acquire(c.r.Context()); err != nil {
		return err
	}
	last, lastID := "", ""
	err = c.db.Uploads(c.bucket, p.prefix, marker, func(u state.Upload) bool {
		common := p.common(u.Key)
		if marker != "" && (u.Key == marker && (idMarker == "" || u.ID <= idMarker) || common != "" && common <= marker) || common != "" && common == last {
			return true
		}
		if len(out.Upload)+len(out.CommonPrefixes) == p.maxEntries {
			out.IsTruncated, out.NextKeyMarker, out.NextUploadIDMarker = p.maxEntries > 0, p.encode(last), lastID
			return false
		}
		if common != "" {
			out.CommonPrefixes = append(out.CommonPrefixes, commonPrefix{p.encode(common)})
			last, lastID = common, ""
			return true
		}
		last, lastID = u.Key, u.ID
		out.Upload = append(out.Upload, uploadEntry{
			Key: p.encode(u.Key), UploadID: u.ID, Initiator: localOwner, Owner: localOwner, StorageClass: storageClass,
			Initiated: timestamp(time.UnixMilli(u.Started)), ChecksumAlgorithm: strings.ToUpper(u.Sum), ChecksumType: u.SumType,
		})
		return true
	})
	if err != nil {
		return err
	}
	c.respond(http.StatusOK, out)
	return nil
}
