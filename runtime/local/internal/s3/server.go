// Package s3 implements the S3 protocol of the local endpoint. It authenticates requests, verifies the integrity of
// their bodies, and returns NotImplemented for unsupported features.
//
// It does not store objects itself: package state does.
package s3

import (
	"crypto/rand"
	"errors"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"golang.org/x/sync/semaphore"

	"fn-runtime/runtime/local/internal/slots"
	"fn-runtime/runtime/local/internal/state"
)

// Limits of S3: 5 GiB for one PUT, and documents large enough for a DeleteObjects of 1000 keys or a list of 10,000
// parts.
const (
	maxObject         = 5 << 30
	maxDocument       = 4 << 20
	maxDocumentMemory = 64 << 20 // memory limit of all documents together
	maxKey            = 1024
	maxMetadata       = 8 << 10
)

// Server serves the buckets to clients that have the keys.
type Server struct {
	db             *state.DB
	keys           Keys
	temp           string // directory for buffered responses
	now            func() time.Time
	documentMemory *semaphore.Weighted // memory available for documents
	formSlots      chan struct{}       // slots for concurrent uploads from forms
	slotPool       slots.Pool
	parsing        sync.Mutex // serializes XML parsing, which needs many times the memory of the document
}

// Handler returns a server for the buckets of db. It supports path-style addressing only (no virtual-hosted style).
// temp is the directory for long responses that clients are still reading. now may be nil.
func Handler(db *state.DB, keys Keys, temp string, now func() time.Time) *Server {
	if now == nil {
		now = time.Now
	}
	return &Server{db: db, keys: keys, temp: temp, now: now, slotPool: slots.New(), documentMemory: semaphore.NewWeighted(maxDocumentMemory), formSlots: make(chan struct{}, maxForms)}
}

// call is one request.
type call struct {
	*Server
	w             http.ResponseWriter
	r             *http.Request
	q             url.Values
	bucket, key   string // key is empty for the bucket itself, bucket is empty for the service
	body          *verifiedReader
	size          int64 // of the body; -1 if unknown
	id            string
	signedRegion  string // region that the request is signed for
	documentBytes int64  // bytes of documentMemory that this request holds
	slot          *slots.Slot
}

// Admits reports whether a request has a valid signature or token.
func (s *Server) Admits(r *http.Request) bool {
	_, apiErr := authenticate(r, s.keys, s.now())
	return apiErr == nil
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// A worker of Lithops 3.8 sends a HEAD request for its bucket and then forks. Close the connection, because parent
	// and child would share it and read each other's responses.
	if bucket := strings.Trim(r.URL.Path, "/"); r.Method == http.MethodHead && !strings.Contains(bucket, "/") {
		w.Header().Set("Connection", "close")
	}
	// net/http sends "100 Continue" only when a body is read. botocore with urllib3 1.26 expects it also for an empty
	// body. It would otherwise treat the response to its next request on this connection as the late 100 response, and
	// hang.
	if r.ContentLength == 0 && strings.EqualFold(r.Header.Get("Expect"), "100-continue") {
		w.WriteHeader(http.StatusContinue)
	}
	c := &call{Server: s, w: w, r: r, q: r.URL.Query(), id: rand.Text()[:16], slot: s.slotPool.NewSlot()}
	c.bucket, c.key, _ = strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	w.Header().Set("X-Amz-Request-Id", c.id)
	defer c.releaseDocument()
	defer c.slot.Release()
	if err := c.serve(); err != nil {
		c.respondError(err)
	}
}

func (c *call) serve() error {
	if c.isForm() {
		return c.postForm()
	}
	sig, apiErr := authenticate(c.r, c.keys, c.now())
	if apiErr != nil {
		return apiErr
	}
	copyQueryHeaders(c.q, c.r.Header)
	c.signedRegion = sig.region()
	run, err := c.route()
	if err != nil {
		return err
	}
	if apiErr := c.prepareBody(sig); apiErr != nil {
		return apiErr
	}
	return run(c)
}

// route returns the operation of a request. It rejects unsupported requests before the body is read.
func (c *call) route() (operation, error) {
	if apiErr := validKey(c.key); apiErr != nil {
		return nil, apiErr
	}
	switch {
	case strings.ContainsRune(c.bucket, 0), !utf8.ValidString(c.bucket):
		return nil, newError(http.StatusBadRequest, "InvalidURI", "Couldn't parse the specified URI.")
	case c.r.Method == http.MethodPut && c.r.ContentLength > maxObject:
		return nil, newError(http.StatusBadRequest, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
	}
	name := c.operationName()
	run, ok := operations[name]
	if !ok {
		return nil, c.notImplemented(name)
	}
	return run, c.checkHeaders(name)
}

func validKey(key string) *apiError {
	switch {
	case strings.ContainsRune(key, 0), !utf8.ValidString(key):
		return newError(http.StatusBadRequest, "InvalidURI", "Couldn't parse the specified URI.")
	case len(key) > maxKey:
		return newError(http.StatusBadRequest, "KeyTooLongError", "Your key is too long")
	}
	return nil
}

// respondError responds with an error.
func (c *call) respondError(err error) {
	var apiErr *apiError
	var marker *state.DeleteMarkerError
	switch {
	case errors.As(err, &apiErr):
	case errors.As(err, &marker):
		apiErr = c.deleteMarkerError(marker)
	case errors.Is(err, state.ErrNotFound):
		apiErr = c.notFoundError()
	case errors.Is(err, os.ErrDeadlineExceeded):
		apiErr = newError(http.StatusBadRequest, "RequestTimeout", "Your socket connection to the server was not read from or written to within the timeout period. Idle connections will be closed.")
	case errors.Is(err, state.ErrFull):
		apiErr = newError(http.StatusInsufficientStorage, "InsufficientStorage", "The disk of the local endpoint is nearly full, or its store has reached its size limit.")
	case errors.Is(err, slots.ErrBusy):
		c.w.Header().Set("Retry-After", "1")
		apiErr = newError(http.StatusServiceUnavailable, "SlowDown", "Please reduce your request rate.")
	case errors.Is(err, state.ErrDamaged):
		apiErr = newError(http.StatusInternalServerError, "InternalError", state.DamagedText)
	default:
		apiErr = newError(http.StatusInternalServerError, "InternalError", "We encountered an internal error. Please try again.")
	}
	if c.r.Method == http.MethodHead || apiErr.status == http.StatusNotModified {
		c.w.WriteHeader(apiErr.status)
		return
	}
	out := *apiErr
	out.Resource, out.RequestID, out.HostID = c.r.URL.Path, c.id, "local"
	c.respond(apiErr.status, out)
}

// notFoundError returns the S3 error for the missing bucket, upload, version or key.
func (c *call) notFoundError() *apiError {
	has, err := c.db.HasBucket(c.bucket)
	switch {
	case err == nil && !has, c.key == "":
		return newError(http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist")
	case c.q.Has("uploadId"):
		return noSuchUpload()
	case c.q.Has("versionId"):
		return noSuchVersion()
	}
	return newError(http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
}
