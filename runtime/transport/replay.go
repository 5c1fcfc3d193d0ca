package transport

import (
	"bytes"
	"io"
	"net/http"
)

// maxReplay is the maximum size of a body that is kept in memory for retries because its GetBody function cannot be
// used.
const maxReplay = 16 << 20

// replayable returns a request with a GetBody function for its body, if possible. Some SDKs set no GetBody. The GetBody
// of the S3 SDK ends the reader that it returned before, so it is replaced by a copy of the body in memory.
func replayable(req *http.Request) (*http.Request, error) {
	unknownLength := req.GetBody != nil && req.ContentLength <= 0 // the body may be too long to keep
	if req.Body == nil || req.Body == http.NoBody || unknownLength || req.ContentLength > maxReplay {
		return req, nil
	}
	data, err := io.ReadAll(io.LimitReader(req.Body, maxReplay+1))
	if err != nil {
		req.Body.Close()
		return nil, err
	}
	out := req.Clone(req.Context())
	if len(data) > maxReplay {
		out.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(bytes.NewReader(data), req.Body), req.Body}
		return out, nil
	}
	req.Body.Close()
	out.GetBody = func() (io.ReadCloser, error) { return replayReader(data), nil }
	out.Body, _ = out.GetBody()
	out.ContentLength = int64(len(data))
	return out, nil
}

// canReplay reports whether a request can be sent again.
func canReplay(req *http.Request) bool {
	return req.Body == nil || req.Body == http.NoBody || req.GetBody != nil
}

// nextAttempt returns a copy of the request for the next attempt. Each attempt needs its own copy because the inner
// round trippers write to the header.
func nextAttempt(req *http.Request) (*http.Request, error) {
	out := req.Clone(req.Context())
	if req.GetBody != nil {
		body, err := req.GetBody()
		if err != nil {
			return nil, err
		}
		out.Body = body
	}
	return out, nil
}

func replayReader(data []byte) io.ReadCloser { return io.NopCloser(bytes.NewReader(data)) }
