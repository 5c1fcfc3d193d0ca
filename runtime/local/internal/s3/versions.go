package s3

import (
	"encoding/xml"
	"net/http"
	"time"

	"fn-runtime/runtime/local/internal/state"
	"fn-runtime/runtime/text"
)

// version returns the requested version, or "" for the current one.
func (c *call) version() string { return c.q.Get("versionId") }

// nullVersion is the ID of a version that was written while versioning was not enabled.
const nullVersion = "null"

var versionID = text.NewPattern(`^([0-9a-f]{16}|null)$`)

func validVersion(id string) error {
	if !versionID.MatchString(id) {
		return invalidArgument("Invalid version id specified")
	}
	return nil
}

// setVersionHeader sets the version in the response headers, unless the bucket never kept versions.
func (c *call) setVersionHeader(id string) {
	if id != "" {
		c.w.Header().Set("X-Amz-Version-Id", id)
	}
}

// setNewVersionHeader sets the version that a write created. S3 omits the null version here.
func (c *call) setNewVersionHeader(o state.Object) {
	if o.Version != nullVersion {
		c.setVersionHeader(o.Version)
	}
}

// deleteMarkerError returns the S3 error for reading a delete marker.
func (c *call) deleteMarkerError(marker *state.DeleteMarkerError) *apiError {
	c.setVersionHeader(marker.Version)
	c.w.Header().Set("X-Amz-Delete-Marker", "true")
	if c.version() == "" {
		return c.notFoundError()
	}
	c.w.Header().Set("Allow", http.MethodDelete)
	return newError(http.StatusMethodNotAllowed, "MethodNotAllowed", "The specified method is not allowed against this resource.")
}

type versioning struct {
	XMLName   xml.Name `xml:"VersioningConfiguration"`
	Status    string   `xml:",omitempty"`
	MFADelete string   `xml:"MfaDelete,omitempty"`
}

func (c *call) getVersioning() error {
	v, err := c.db.Versioning(c.bucket)
	if err != nil {
		return err
	}
	c.respond(http.StatusOK, versioning{XMLName: xml.Name{Space: "http://s3.amazonaws.com/doc/2006-03-01/", Local: "VersioningConfiguration"}, Status: string(v)})
	return nil
}

func (c *call) putVersioning() error {
	var in versioning
	if err := c.document(&in); err != nil {
		return err
	}
	v := state.Versioning(in.Status)
	switch {
	case in.MFADelete == "Enabled":
		return notImplemented("'MfaDelete'")
	case v != state.Enabled && v != state.Suspended:
		return malformedXML()
	}
	err := c.db.SetVersioning(c.bucket, v)
	if err == nil {
		c.w.WriteHeader(http.StatusOK)
	}
	return err
}

// versionListing is the response of ListObjectVersions:
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html
type versionListing struct {
	XMLName             xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListVersionsResult"`
	Name                string
	Prefix              string
	KeyMarker           string
	VersionIDMarker     string `xml:"VersionIdMarker"`
	Delimiter           string `xml:",omitempty"`
	EncodingType        string `xml:",omitempty"`
	MaxKeys             int
	IsTruncated         bool
	NextKeyMarker       string `xml:",omitempty"`
	NextVersionIDMarker string `xml:"NextVersionIdMarker,omitempty"`
	Version             []any  // version and deleteMarker elements, in order
	CommonPrefixes      []commonPrefix
}

type version struct {
	Key          string
	VersionID    string `xml:"VersionId"`
	IsLatest     bool
	LastModified string
	ETag         string `xml:",omitempty"`
	Size         *int64
	Owner        *owner
	StorageClass string `xml:",omitempty"`
}

// deleteMarker is a version without the elements that describe its content.
type deleteMarker struct {
	XMLName struct{} `xml:"DeleteMarker"`
	version
}

func (c *call) listVersions() error {
	p, err := c.page("max-keys")
	if err != nil {
		return err
	}
	after, afterVersion := c.q.Get("key-marker"), c.q.Get("version-id-marker")
	if afterVersion != "" {
		if after == "" {
			return invalidArgument("A version-id marker cannot be specified without a key marker.")
		}
		if err := validVersion(afterVersion); err != nil {
			return err
		}
	}
	if err := c.slot.Acquire(c.r.Context()); err != nil {
		return err
	}
	list := func(fn func(state.Object) (string, bool)) error {
		return c.db.Versions(c.bucket, p.prefix, after, afterVersion, fn)
	}
	f, err := collectPage(list, p, after)
	if err != nil {
		return err
	}
	out := versionListing{
		Name: c.bucket, Prefix: p.encode(p.prefix), KeyMarker: p.encode(after), VersionIDMarker: afterVersion,
		Delimiter: p.encode(p.delimiter), EncodingType: c.q.Get("encoding-type"), MaxKeys: p.maxEntries, IsTruncated: f.more, CommonPrefixes: f.common(p.encode),
	}
	if f.more {
		out.NextKeyMarker, out.NextVersionIDMarker = p.encode(f.last), f.version
	}
	for _, o := range f.objects {
		v := version{
			Key: p.encode(o.Key), VersionID: firstNonEmpty(o.Version, nullVersion), IsLatest: o.Latest,
			LastModified: timestamp(time.UnixMilli(o.Modified)), Owner: localOwner,
		}
		if o.Marker {
			out.Version = append(out.Version, deleteMarker{version: v})
			continue
		}
		v.ETag, v.Size, v.StorageClass = `"`+o.ETag+`"`, &o.Size, storageClass
		out.Version = append(out.Version, v)
	}
	c.respond(http.StatusOK, out)
	return nil
}
