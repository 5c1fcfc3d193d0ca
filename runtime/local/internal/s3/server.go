// Package s3 is the local endpoint's object store: S3's protocol over the endpoint's state. It verifies who sends a request
// and what arrives, and refuses by name what it does not implement.
//
// What may go in: the S3 protocol. What may not: how objects are kept, which is state's.
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

// Limits of S3 itself: 5 GiB for one PUT, and room for a DeleteObjects of 1000 keys or a list of 10,000 parts.
const (
	maxObject   = 5 << 30
	maxDocument = 4 << 20
	documents   = 64 << 20 // of bytes of documents, at the same time
	maxKey      = 1024
	maxMetadata = 8 << 10
)

// Server serves buckets to whoever has the keys.
type Server struct {
	db        *state.DB
	keys      Keys
	temp      string // folder of answers on their way
	now       func() time.Time
	documents *semaphore.Weighted // bytes of documents that are in memory
	forms     chan struct{}       // places of uploads from forms
	turns     slots.Pool
	parsing   sync.Mutex // held while a document is taken apart, which takes many times its bytes
}

// Handler serves the buckets of db by path (not by host name) to whoever has the keys. temp is the folder of answers that
// are long while their clients read them; now may be nil.
func Handler(db *state.DB, keys Keys, temp string, now func() time.Time) *Server {
	if now == nil {
		now = time.Now
	}
	return &Server{db: db, keys: keys, temp: temp, now: now, turns: slots.New(), documents: semaphore.NewWeighted(documents), forms: make(chan struct{}, maxForms)}
}

// call is one request.
type call struct {
	*Server
	w           http.ResponseWriter
	r           *http.Request
	q           url.Values
	bucket, key string // key "" is the bucket, bucket "" the service
	body        *verified
	size        int64 // of the body; -1 unknown
	id          string
	signedFor   string // region
	held        int64  // bytes of documents that this request has
	turn        *slots.Slot
}

// Admits reports whether a request carries the right signature or token.
func (s *Server) Admits(r *http.Request) bool {
	_, no := authenticate(r, s.keys, s.now())
	return no == nil
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// A worker of Lithops 3.8 looks for its bucket and then forks with that connection, on which parent and child would read
	// each other's answers.
	if bucket := strings.Trim(r.URL.Path, "/"); r.Method == http.MethodHead && !strings.Contains(bucket, "/") {
		w.Header().Set("Connection", "close")
	}
	// net/http says "100 Continue" when a body is read. A client that expects it for an empty body too, as botocore with
	// urllib3 1.26 does, would take the answer to its next request on this connection for a late one and hang.
	if r.ContentLength == 0 && strings.EqualFold(r.Header.Get("Expect"), "100-continue") {
		w.WriteHeader(http.StatusContinue)
	}
	c := &call{Server: s, w: w, r: r, q: r.URL.Query(), id: rand.Text()[:16], turn: s.turns.Turn()}
	c.bucket, c.key, _ = strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	w.Header().Set("X-Amz-Request-Id", c.id)
	defer c.let()
	defer c.turn.End()
	if err := c.serve(); err != nil {
		c.refuse(err)
	}
}

func (c *call) serve() error {
	if c.isForm() {
		return c.postForm()
	}
	sig, no := authenticate(c.r, c.keys, c.now())
	if no != nil {
		return no
	}
	headersOf(c.q, c.r.Header)
	c.signedFor = sig.region()
	run, err := c.admit()
	if err != nil {
		return err
	}
	if no := c.receive(sig); no != nil {
		return no
	}
	return run(c)
}

// admit finds what a request asks for, and refuses what the store does not do, before anything is read.
func (c *call) admit() (operation, error) {
	if no := validKey(c.key); no != nil {
		return nil, no
	}
	switch {
	case strings.ContainsRune(c.bucket, 0), !utf8.ValidString(c.bucket):
		return nil, refuse(http.StatusBadRequest, "InvalidURI", "Couldn't parse the specified URI.")
	case c.r.Method == http.MethodPut && c.r.ContentLength > maxObject:
		return nil, refuse(http.StatusBadRequest, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
	}
	name := c.operation()
	run, ok := operations[name]
	if !ok {
		return nil, c.notImplemented(name)
	}
	return run, c.understood(name)
}

func validKey(key string) *refusal {
	switch {
	case strings.ContainsRune(key, 0), !utf8.ValidString(key):
		return refuse(http.StatusBadRequest, "InvalidURI", "Couldn't parse the specified URI.")
	case len(key) > maxKey:
		return refuse(http.StatusBadRequest, "KeyTooLongError", "Your key is too long")
	}
	return nil
}

// refuse answers with an error.
func (c *call) refuse(err error) {
	var no *refusal
	var marker *state.DeleteMarkerError
	switch {
	case errors.As(err, &no):
	case errors.As(err, &marker):
		no = c.deleted(marker)
	case errors.Is(err, state.ErrNotFound):
		no = c.missing()
	case errors.Is(err, os.ErrDeadlineExceeded):
		no = refuse(http.StatusBadRequest, "RequestTimeout", "Your socket connection to the server was not read from or written to within the timeout period. Idle connections will be closed.")
	case errors.Is(err, state.ErrFull):
		no = refuse(http.StatusInsufficientStorage, "InsufficientStorage", "The disk of the local endpoint is nearly full, or its store has reached its size limit.")
	case errors.Is(err, slots.ErrBusy):
		c.w.Header().Set("Retry-After", "1")
		no = refuse(http.StatusServiceUnavailable, "SlowDown", "Please reduce your request rate.")
	case errors.Is(err, state.ErrDamaged):
		no = refuse(http.StatusInternalServerError, "InternalError", state.DamagedText)
	default:
		no = refuse(http.StatusInternalServerError, "InternalError", "We encountered an internal error. Please try again.")
	}
	if c.r.Method == http.MethodHead || no.status == http.StatusNotModified {
		c.w.WriteHeader(no.status)
		return
	}
	out := *no
	out.Resource, out.RequestID, out.HostID = c.r.URL.Path, c.id, "local"
	c.answer(no.status, out)
}

// missing says what of the things that a request names is not there.
func (c *call) missing() *refusal {
	has, err := c.db.HasBucket(c.bucket)
	switch {
	case err == nil && !has, c.key == "":
		return refuse(http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist")
	case c.q.Has("uploadId"):
		return noSuchUpload()
	case c.q.Has("versionId"):
		return noSuchVersion()
	}
	return refuse(http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
}
