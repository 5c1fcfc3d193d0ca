package s3

import (
	"encoding/xml"
	"net/http"
	"strings"

	"fn-runtime/runtime/local/internal/state"
)

type attributes struct {
	XMLName      xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ GetObjectAttributesResponse"`
	ETag         string   `xml:",omitempty"`
	Checksum     *sums    `xml:",omitempty"`
	ObjectParts  *objectParts
	StorageClass string `xml:",omitempty"`
	ObjectSize   *int64
}

type objectParts struct {
	PartsCount           int
	PartNumberMarker     int
	NextPartNumberMarker int `xml:",omitempty"`
	MaxParts             int
	IsTruncated          bool
	Part                 []objectPart
}

type objectPart struct {
	PartNumber int
	Size       int64
	sums
}

// objectAttributes handles GetObjectAttributes.
func (c *call) objectAttributes() error {
	o, err := c.db.Object(c.bucket, c.key, c.version())
	if err != nil {
		return err
	}
	requested := strings.Join(c.r.Header.Values("X-Amz-Object-Attributes"), ",")
	if requested == "" {
		return invalidArgument("The x-amz-object-attributes header specifying the attributes to be retrieved is either missing or empty")
	}
	var out attributes
	for name := range strings.SplitSeq(requested, ",") {
		switch strings.TrimSpace(name) {
		case "ETag":
			out.ETag = o.ETag
		case "StorageClass":
			out.StorageClass = storageClass
		case "ObjectSize":
			out.ObjectSize = &o.Size
		case "Checksum":
			if len(o.Sums) > 0 {
				s := sumsOf(o.Sums)
				s.ChecksumType = sumType(o)
				out.Checksum = &s
			}
		case "ObjectParts":
			if out.ObjectParts, err = c.partsOf(o); err != nil {
				return err
			}
		default:
			return invalidArgument("Invalid attribute name specified.")
		}
	}
	c.setVersionHeader(o.Version)
	c.w.Header().Set("Last-Modified", modified(o).Format(http.TimeFormat))
	c.respond(http.StatusOK, out)
	return nil
}

func (c *call) partsOf(o state.Object) (*objectParts, error) {
	if o.Upload == "" {
		return nil, nil
	}
	maxEntries, err := parseLimit(c.r.Header.Get("X-Amz-Max-Parts"), "x-amz-max-parts")
	if err != nil {
		return nil, err
	}
	marker, err := parseNumber(firstNonEmpty(c.r.Header.Get("X-Amz-Part-Number-Marker"), "0"), "x-amz-part-number-marker")
	if err != nil {
		return nil, err
	}
	list, err := c.db.Parts(o.Upload)
	out := &objectParts{PartsCount: len(list), PartNumberMarker: marker, MaxParts: maxEntries}
	for _, p := range list {
		if p.Number <= marker {
			continue
		}
		if len(out.Part) == maxEntries {
			out.IsTruncated = true
			break
		}
		out.NextPartNumberMarker = p.Number
		out.Part = append(out.Part, objectPart{p.Number, p.Size, sumsOf(p.Sums)})
	}
	return out, err
}
