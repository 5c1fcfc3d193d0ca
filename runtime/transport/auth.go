package transport

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// TokenFunc returns an access token without the "Bearer " prefix. If refresh is set, it fetches a new token first.
type TokenFunc func(ctx context.Context, refresh bool) (string, error)

// Auth holds the credentials of requests. At most one field is set. The zero value leaves requests unchanged.
type Auth struct {
	Token TokenFunc // Authorization: Bearer
	Basic string    // Authorization: Basic, "user:password" or OpenWhisk's "uuid:key"
}

// isSet reports whether there are credentials.
func (a Auth) isSet() bool { return a.Token != nil || a.Basic != "" }

func (a Auth) wrap(next http.RoundTripper) http.RoundTripper {
	switch {
	case a.Token != nil:
		return &bearer{next: next, source: a.Token, lock: make(chan struct{}, 1)}
	case a.Basic != "":
		value := "Basic " + base64.StdEncoding.EncodeToString([]byte(a.Basic))
		return roundTripper(func(req *http.Request) (*http.Response, error) {
			return next.RoundTrip(withAuthorization(req, value))
		})
	}
	return next
}

// withAuthorization returns a copy of a request with an Authorization header.
func withAuthorization(req *http.Request, value string) *http.Request {
	out := req.Clone(req.Context())
	out.Header.Set("Authorization", value)
	return out
}

// A token that expires within expirySlack is renewed before it is used. A token that was renewed less than renewPause
// ago is not renewed again, because a service that rejects a fresh token with 401 would reject another one, too.
const (
	expirySlack = 2 * time.Minute
	renewPause  = time.Minute
)

// bearer adds a token to requests. If the service responds with 401, the token may have expired: bearer renews it once
// and sends the request once more. Some services respond with 403 to an expired token, so bearer does the same after a
// 403 if the token has expired by the server's clock. Any other 403 is returned unchanged.
type bearer struct {
	next     http.RoundTripper
	source   TokenFunc
	lock     chan struct{} // protects the following fields; it is a channel, so that waiting for it ends with the context
	token    string
	renewed  time.Time
	lastErr  error // error of the last call of source, which failed at failedAt
	failedAt time.Time
}

func (b *bearer) RoundTrip(req *http.Request) (*http.Response, error) {
	token, err := b.current(req.Context(), "")
	if err != nil {
		if req.Body != nil {
			req.Body.Close()
		}
		return nil, err
	}
	resp, err := b.next.RoundTrip(withAuthorization(req, "Bearer "+token))
	if err != nil || !tokenExpired(resp, token) || !canReplay(req) {
		return resp, err
	}
	fresh, err := b.current(req.Context(), token)
	if err != nil && resp.StatusCode == http.StatusUnauthorized {
		return nil, err // the user needs to know why the session could not be renewed
	}
	if err != nil || fresh == token {
		return resp, nil
	}
	out, err := nextAttempt(req)
	if err != nil {
		return nil, err
	}
	return b.next.RoundTrip(withAuthorization(out, "Bearer "+fresh))
}

// tokenExpired reports whether a response means that the token has expired.
func tokenExpired(resp *http.Response, token string) bool {
	switch resp.StatusCode {
	case http.StatusUnauthorized:
		return true
	case http.StatusForbidden:
		at, err := http.ParseTime(resp.Header.Get("Date"))
		return err == nil && endsSoon(token, at.Add(-expirySlack))
	}
	return false
}

// current returns the token. It renews the token first if it is the rejected one or about to expire.
func (b *bearer) current(ctx context.Context, rejected string) (string, error) {
	start := time.Now()
	select {
	case b.lock <- struct{}{}:
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	defer func() { <-b.lock }()
	if b.lastErr != nil && b.failedAt.After(start) {
		return "", b.lastErr // the call failed, after all its retries, while this caller was waiting, so it is not repeated
	}
	if b.token == "" {
		token, err := b.fetch(ctx, false)
		if err != nil {
			return "", err
		}
		b.token = token
	}
	stale := b.token == rejected || endsSoon(b.token, time.Now())
	if stale && time.Since(b.renewed) > renewPause {
		token, err := b.fetch(ctx, true)
		if err != nil {
			return "", err
		}
		b.token, b.renewed = token, time.Now()
	}
	return b.token, nil
}

func (b *bearer) fetch(ctx context.Context, refresh bool) (string, error) {
	token, err := b.source(ctx, refresh)
	b.lastErr = nil
	if err != nil && ctx.Err() == nil {
		b.lastErr, b.failedAt = err, time.Now()
	}
	return token, err
}

// endsSoon reports whether a token is a JSON Web Token (RFC 7519, claim "exp") that expires within expirySlack. It does
// not verify the token, because the server does that.
func endsSoon(token string, now time.Time) bool {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return false
	}
	data, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return false
	}
	var claims struct {
		Exp float64 `json:"exp"`
	}
	if json.Unmarshal(data, &claims) != nil || claims.Exp <= 0 {
		return false
	}
	return now.Add(expirySlack).Unix() >= int64(claims.Exp)
}
