// Package s3 is the local endpoint's object store: gofakes3 over the endpoint's state, behind a guard that verifies
// who sends a request and what arrives, and that answers what gofakes3 lacks.
//
// What may go in: the S3 protocol. What may not: how objects are kept, which is state's.
package s3

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/johannesboyne/gofakes3"

	"fn-runtime/runtime/local/internal/state"
	"fn-runtime/runtime/text"
)

// Limits of S3 itself: 5 GiB for one PUT, and room for a DeleteObjects of 1000 keys or a list of 10,000 parts.
const (
	maxObject   = 5 << 30
	maxDocument = 4 << 20
)

// Server serves buckets to whoever has the keys.
type Server struct {
	db   *state.DB
	keys Keys
	now  func() time.Time
	next http.Handler
}

// Handler serves the buckets of db by path (not by host name) to whoever has the keys. now may be nil.
func Handler(db *state.DB, keys Keys, now func() time.Time) *Server {
	if now == nil {
		now = time.Now
	}
	fake := gofakes3.New(backend{db}, gofakes3.WithTimeSkewLimit(0), gofakes3.WithLogger(gofakes3.DiscardLog()), gofakes3.WithMetadataSizeLimit(8<<10))
	return &Server{db: db, keys: keys, now: now, next: fake.Server()}
}

// subresources are query parameters that make another operation of a request; gofakes3 would read or overwrite the
// object itself for those that it does not know.
var unsupported = []string{
	"accelerate", "acl", "analytics", "attributes", "cors", "encryption", "intelligent-tiering", "inventory", "legal-hold",
	"lifecycle", "logging", "metrics", "notification", "object-lock", "ownershipControls", "policy", "policyStatus",
	"publicAccessBlock", "replication", "requestPayment", "restore", "retention", "select", "tagging", "torrent", "website",
}

// Admits reports whether a request carries the right signature or token.
func (s *Server) Admits(r *http.Request) bool {
	_, no := authenticate(r, s.keys, s.now())
	return no == nil
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// A worker of Lithops 3.8 forks with a connection to its store, on which parent and child would read each other's
	// answers. A connection that ends with its answer is never shared; a new one costs a fraction of a millisecond.
	w.Header().Set("Connection", "close")
	// net/http says "100 Continue" when a body is read. A client that expects it for an empty body too, as botocore with
	// urllib3 1.26 does, would take the answer to its next request on this connection for a late one and hang.
	if r.ContentLength == 0 && strings.EqualFold(r.Header.Get("Expect"), "100-continue") {
		w.WriteHeader(http.StatusContinue)
	}
	sig, no := authenticate(r, s.keys, s.now())
	if no == nil {
		no = s.admit(r)
	}
	if no == nil {
		no = receive(r, sig)
	}
	if no != nil {
		no.write(w, r)
		return
	}
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	q := r.URL.Query()
	switch {
	case r.Method == http.MethodGet && bucket != "" && key == "" && !q.Has("location") && !q.Has("uploads") && !q.Has("versioning"):
		s.list(w, r, bucket)
	case r.Method == http.MethodPut && bucket != "" && key == "" && !q.Has("versioning"):
		s.create(w, r, bucket)
	case (r.Method == http.MethodGet || r.Method == http.MethodHead) && !s.matches(r, bucket, key):
		refuse(http.StatusPreconditionFailed, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold").write(w, r)
	default:
		t := &tidy{ResponseWriter: w}
		s.next.ServeHTTP(t, r)
		if !t.done { // gofakes3 leaves 200 without a body to net/http
			t.WriteHeader(http.StatusOK)
		}
	}
}

// bucketName is S3's rule, which gofakes3 takes too narrowly, but for addresses:
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
var bucketName = text.NewPattern(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

func (s *Server) create(w http.ResponseWriter, r *http.Request, bucket string) {
	if !bucketName.MatchString(bucket) || strings.Contains(bucket, "..") || net.ParseIP(bucket) != nil {
		refuse(http.StatusBadRequest, "InvalidBucketName", "The specified bucket is not valid.").write(w, r)
		return
	}
	err := s.db.CreateBucket(bucket)
	switch {
	case errors.Is(err, state.ErrExists):
		refuse(http.StatusConflict, "BucketAlreadyOwnedByYou", "Your previous request to create the named bucket succeeded and you already own it.").write(w, r)
	case err != nil:
		refuse(http.StatusInternalServerError, "InternalError", "We encountered an internal error.").write(w, r)
	default:
		w.Header().Set("Location", "/"+bucket)
		w.WriteHeader(http.StatusOK)
	}
}

// matches tests If-Match on reads, which gofakes3 does not.
func (s *Server) matches(r *http.Request, bucket, key string) bool {
	want := r.Header.Get("If-Match")
	if want == "" || want == "*" || key == "" {
		return true
	}
	o, err := s.db.Object(bucket, key)
	if err != nil {
		return true // the read itself says what is wrong
	}
	return strings.Trim(want, `"`) == o.ETag
}

// admit refuses what the store does not do, before anything is read.
func (s *Server) admit(r *http.Request) *refusal {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	q := r.URL.Query()
	for name := range q {
		if slices.Contains(unsupported, name) {
			return refuse(http.StatusNotImplemented, "NotImplemented", "The local endpoint does not implement '"+name+"'.")
		}
	}
	switch {
	case strings.ContainsRune(r.URL.Path, 0), !utf8.ValidString(r.URL.Path):
		return refuse(http.StatusBadRequest, "InvalidURI", "Couldn't parse the specified URI.")
	case len(key) > gofakes3.KeySizeLimit:
		return refuse(http.StatusBadRequest, "KeyTooLongError", "Your key is too long")
	case r.Method == http.MethodPut && key == "" && bucket == "api": // /api/v1 is OpenWhisk's
		return refuse(http.StatusBadRequest, "InvalidBucketName", "The bucket name 'api' is reserved.")
	case r.Method == http.MethodPost && !q.Has("delete") && !q.Has("uploads") && !q.Has("uploadId"):
		return refuse(http.StatusNotImplemented, "NotImplemented", "The local endpoint does not implement uploads from forms.")
	case q.Has("uploadId") && r.Method == http.MethodPut && r.Header.Get("X-Amz-Copy-Source") != "":
		return refuse(http.StatusNotImplemented, "NotImplemented", "The local endpoint does not implement UploadPartCopy.")
	case r.Method == http.MethodPut && r.ContentLength > maxObject:
		return refuse(http.StatusBadRequest, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
	}
	if r.Method == http.MethodPut {
		room, err := s.db.Disk().Reserve(r.ContentLength)
		if err != nil {
			return refuse(http.StatusInsufficientStorage, "InsufficientStorage", fullText)
		}
		room.Close()
	}
	return nil
}

const fullText = "The disk of the local endpoint is nearly full, or its store has reached its size limit."

// receive makes of the body what gofakes3 expects: the bytes of the object alone, verified at their end, and no header
// that it would keep with the object but that is about the request.
func receive(r *http.Request, sig *signature) *refusal {
	h := r.Header
	payload := h.Get("X-Amz-Content-Sha256")
	size := r.ContentLength
	body := io.Reader(r.Body)
	var trailer http.Header
	var announced []string
	if strings.HasPrefix(payload, "STREAMING-") {
		n, err := strconv.ParseInt(h.Get("X-Amz-Decoded-Content-Length"), 10, 64)
		if err != nil || n < 0 || n > maxObject {
			return refuse(http.StatusLengthRequired, "MissingContentLength", "You must provide the x-amz-decoded-content-length HTTP header.")
		}
		switch payload {
		case "STREAMING-UNSIGNED-PAYLOAD-TRAILER":
			sig = nil
		case "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER":
			if sig == nil {
				return refuse(http.StatusBadRequest, "InvalidRequest", "Signed chunks need a signed request.")
			}
		default:
			return refuse(http.StatusNotImplemented, "NotImplemented", "The local endpoint does not implement "+strconv.Quote(payload)+".")
		}
		c := newChunks(r.Body, sig)
		body, trailer, size = c, c.trailer, n
		announced = strings.Split(h.Get("X-Amz-Trailer"), ",")
		if left := strings.TrimSpace(strings.TrimPrefix(h.Get("Content-Encoding"), "aws-chunked")); left != "" {
			h.Set("Content-Encoding", strings.TrimPrefix(left, ","))
		} else {
			h.Del("Content-Encoding")
		}
	}
	claims := h.Clone()
	if r.Method == http.MethodPost && r.URL.Query().Has("uploadId") {
		claims = nil // checksums of CompleteMultipartUpload are those of the object, not of its body
	}
	body = verify(io.LimitReader(body, maxObject+1), size, payload, claims, trailer, announced)
	if r.Method == http.MethodPost { // documents are read whole, so that what is acted on has been verified
		data, err := io.ReadAll(io.LimitReader(body, maxDocument+1))
		if err != nil {
			return refuse(http.StatusBadRequest, "BadDigest", "The body does not match what the request says about it.")
		}
		if len(data) > maxDocument {
			return refuse(http.StatusBadRequest, "MaxMessageLengthExceeded", "Your request was too big.")
		}
		body, size = bytes.NewReader(data), int64(len(data))
	}
	r.Body = struct {
		io.Reader
		io.Closer
	}{body, r.Body}
	r.ContentLength = size
	if size >= 0 {
		h.Set("Content-Length", strconv.FormatInt(size, 10))
	}
	for name := range h {
		if strings.HasPrefix(name, "X-Amz-") && !strings.HasPrefix(name, "X-Amz-Meta-") && name != "X-Amz-Copy-Source" {
			h.Del(name)
		}
	}
	return nil
}

// refusal is an error answer of S3.
type refusal struct {
	XMLName xml.Name `xml:"Error"`
	status  int
	Code    string
	Message string
}

func refuse(status int, code, message string) *refusal {
	return &refusal{status: status, Code: code, Message: message}
}

func (no *refusal) write(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodHead {
		w.WriteHeader(no.status)
		return
	}
	writeXML(w, no.status, no)
}

func writeXML(w http.ResponseWriter, status int, v any) {
	data, err := xml.Marshal(v)
	if err != nil {
		status, data = http.StatusInternalServerError, nil
	}
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	_, _ = w.Write(append([]byte(xml.Header), data...))
}
