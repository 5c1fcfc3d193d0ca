package s3

import (
	"cmp"
	"crypto/md5" //nolint:gosec // S3's ETag
	"encoding/hex"
	"encoding/xml"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"fn-runtime/runtime/local/internal/state"
)

// Limits of https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
const (
	maxParts = 10_000
	minPart  = 5 << 20 // of every part but the last
)

func partNumber(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxParts {
		return 0, invalidArgument("Part number must be an integer between 1 and 10000, inclusive")
	}
	return n, nil
}

type startedUpload struct {
	XMLName  xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ InitiateMultipartUploadResult"`
	Bucket   string
	Key      string
	UploadID string `xml:"UploadId"`
}

func (c *call) startUpload() error {
	meta, err := c.metadata()
	if err != nil {
		return err
	}
	tags, err := c.headerTags()
	if err != nil {
		return err
	}
	sum, kind, err := c.uploadChecksum()
	if err != nil {
		return err
	}
	u, err := c.db.StartUpload(state.Upload{Bucket: c.bucket, Key: c.key, Meta: meta, Tags: tags, Sum: sum, SumType: kind})
	if err != nil {
		return err
	}
	if sum != "" {
		c.w.Header().Set("X-Amz-Checksum-Algorithm", strings.ToUpper(sum))
		c.w.Header().Set("X-Amz-Checksum-Type", kind)
	}
	c.respond(http.StatusOK, startedUpload{Bucket: c.bucket, Key: c.key, UploadID: u.ID})
	return nil
}

func (c *call) putPart() error {
	number, err := partNumber(c.q.Get("partNumber"))
	if err != nil {
		return err
	}
	u, err := c.db.Upload(c.bucket, c.key, c.q.Get("uploadId"))
	if err != nil {
		return err
	}
	if c.r.Header.Get("X-Amz-Copy-Source") != "" {
		return c.copyPart(number, u)
	}
	c.body.addChecksum(u.Sum)
	p, err := c.db.PutPart(c.bucket, c.key, u.ID, number, c.body, c.size, func(p *state.Part) { p.Sums = c.body.computed })
	if err != nil {
		return err
	}
	c.w.Header().Set("ETag", `"`+p.ETag+`"`)
	for name, sum := range p.Sums {
		c.w.Header().Set(checksumPrefix+name, sum)
	}
	c.w.WriteHeader(http.StatusOK)
	return nil
}

func (c *call) abortUpload() error {
	err := c.db.AbortUpload(c.bucket, c.key, c.q.Get("uploadId"))
	if err == nil {
		c.w.WriteHeader(http.StatusNoContent)
	}
	return err
}

// completion is the request document of CompleteMultipartUpload.
type completion struct {
	XMLName xml.Name `xml:"CompleteMultipartUpload"`
	Part    []chosenPart
}

type chosenPart struct {
	PartNumber int
	ETag       string
	sums
}

type completed struct {
	XMLName  xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ CompleteMultipartUploadResult"`
	Location string
	Bucket   string
	Key      string
	ETag     string
	sums
}

func (c *call) completeUpload() error {
	var in completion
	if err := c.document(&in); err != nil {
		return err
	}
	if len(in.Part) == 0 || len(in.Part) > maxParts {
		return malformedXML()
	}
	id := c.q.Get("uploadId")
	o, err := c.db.CompleteUpload(c.bucket, c.key, id, func(u state.Upload, uploaded []state.Part, old *state.Object) (o state.Object, chosen []state.Part, err error) {
		if err = c.checkWriteConditions(old); err != nil {
			return o, nil, err
		}
		if chosen, err = selectParts(in.Part, uploaded); err != nil {
			return o, nil, err
		}
		o.ETag = multipartETag(chosen)
		if o.Sums, err = c.completedChecksums(u, chosen); err != nil {
			return o, nil, err
		}
		o.Combined = u.SumType == composite
		return o, chosen, nil
	})
	if errors.Is(err, state.ErrNotFound) { // the client may retry a completed upload because it did not get the response
		problem := c.db.Versions(c.bucket, c.key, "", "", func(existing state.Object) (string, bool) {
			if existing.Key == c.key && existing.Upload == id {
				o, err = existing, nil
			}
			return "", existing.Key == c.key && err != nil
		})
		err = cmp.Or(problem, err)
	}
	if err != nil {
		return err
	}
	out := completed{Location: "http://" + c.r.Host + c.r.URL.EscapedPath(), Bucket: c.bucket, Key: c.key, ETag: `"` + o.ETag + `"`, sums: sumsOf(o.Sums)}
	if len(o.Sums) > 0 {
		out.ChecksumType = sumType(o)
	}
	c.setNewVersionHeader(o)
	c.respond(http.StatusOK, out)
	return nil
}

// selectParts returns the parts that a completion lists.
func selectParts(requested []chosenPart, uploaded []state.Part) ([]state.Part, error) {
	byNumber := make(map[int]state.Part, len(uploaded))
	for _, p := range uploaded {
		byNumber[p.Number] = p
	}
	chosen := make([]state.Part, 0, len(requested))
	last := 0
	for i, want := range requested {
		p, ok := byNumber[want.PartNumber]
		switch {
		case i+1 < len(requested) && requested[i+1].PartNumber == want.PartNumber: // of several entries with the same number, the last one counts
			continue
		case want.PartNumber <= last:
			return nil, newError(http.StatusBadRequest, "InvalidPartOrder", "The list of parts was not in ascending order. The parts list must be specified in order by part number.")
		case !ok, strings.Trim(want.ETag, `"`) != p.ETag, !want.matches(p.Sums):
			return nil, newError(http.StatusBadRequest, "InvalidPart", "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.")
		case i < len(requested)-1 && p.Size < minPart:
			return nil, newError(http.StatusBadRequest, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
		}
		last = want.PartNumber
		chosen = append(chosen, p)
	}
	return chosen, nil
}

// multipartETag returns the MD5 of the parts' MD5s, followed by the number of parts.
func multipartETag(parts []state.Part) string {
	sum := md5.New() //nolint:gosec
	for _, p := range parts {
		data, _ := hex.DecodeString(p.ETag)
		sum.Write(data)
	}
	return hex.EncodeToString(sum.Sum(nil)) + "-" + strconv.Itoa(len(parts))
}
