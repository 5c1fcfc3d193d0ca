package transport

import (
	"bytes"
	"io"
	"net/http"
)

// maxReplay bounds the body that is kept in memory for repetitions when its maker offers no second copy of it.
const maxReplay = 16 << 20

// replayable returns a request whose body can be had again by GetBody, where that is possible. Some SDKs set no GetBody, and
// that of the S3 SDK ends the body that it gave before: a copy of our own replaces it.
func replayable(req *http.Request) (*http.Request, error) {
	foreign := req.GetBody != nil && req.ContentLength <= 0 // of unknown length: it may be too long to keep
	if req.Body == nil || req.Body == http.NoBody || foreign || req.ContentLength > maxReplay {
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

// canReplay reports whether a request can be sent a second time.
func canReplay(req *http.Request) bool {
	return req.Body == nil || req.Body == http.NoBody || req.GetBody != nil
}

// again returns the request for its next sending. Each sending needs its own copy: the header is written to below.
func again(req *http.Request) (*http.Request, error) {
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
