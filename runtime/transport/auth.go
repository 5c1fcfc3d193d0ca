package transport

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// TokenFunc returns an access token without "Bearer "; with refresh it gets a new one first.
type TokenFunc func(ctx context.Context, refresh bool) (string, error)

// Auth is how requests prove who sends them. At most one field is set; the zero value leaves requests as they are.
type Auth struct {
	Token TokenFunc // Authorization: Bearer
	Basic string    // Authorization: Basic, "user:password" or OpenWhisk's "uuid:key"
}

func (a Auth) set() bool { return a.Token != nil || a.Basic != "" }

func (a Auth) wrap(next http.RoundTripper) http.RoundTripper {
	switch {
	case a.Token != nil:
		return &bearer{next: next, source: a.Token, turn: make(chan struct{}, 1)}
	case a.Basic != "":
		value := "Basic " + base64.StdEncoding.EncodeToString([]byte(a.Basic))
		return roundTripper(func(req *http.Request) (*http.Response, error) {
			return next.RoundTrip(authorized(req, value))
		})
	}
	return next
}

func authorized(req *http.Request, value string) *http.Request {
	out := req.Clone(req.Context())
	out.Header.Set("Authorization", value)
	return out
}

// A token that ends within expirySlack is renewed before it is used. One that was renewed within renewPause is not
// renewed again: a 401 that a fresh token did not cure means what it says.
const (
	expirySlack = 2 * time.Minute
	renewPause  = time.Minute
)

// bearer puts a token on requests. A 401 may mean that it has ended: then it is renewed once, and the request is sent
// once more. A 403 means what it says, unless the token has ended by the server's own clock: some services say 403 then.
type bearer struct {
	next    http.RoundTripper
	source  TokenFunc
	turn    chan struct{} // held while token and renewed are used; a channel, so that waiting ends with the context
	token   string
	renewed time.Time
	failure error // of the last question to source, and when it came
	failed  time.Time
}

func (b *bearer) RoundTrip(req *http.Request) (*http.Response, error) {
	token, err := b.get(req.Context(), "")
	if err != nil {
		if req.Body != nil {
			req.Body.Close()
		}
		return nil, err
	}
	resp, err := b.next.RoundTrip(authorized(req, "Bearer "+token))
	if err != nil || !saysEnded(resp, token) || !canReplay(req) {
		return resp, err
	}
	fresh, err := b.get(req.Context(), token)
	if err != nil && resp.StatusCode == http.StatusUnauthorized {
		return nil, err // why the session could not be renewed is what the user needs to know
	}
	if err != nil || fresh == token {
		return resp, nil
	}
	out, err := again(req)
	if err != nil {
		return nil, err
	}
	return b.next.RoundTrip(authorized(out, "Bearer "+fresh))
}

// saysEnded reports whether an answer means that the token has ended.
func saysEnded(resp *http.Response, token string) bool {
	switch resp.StatusCode {
	case http.StatusUnauthorized:
		return true
	case http.StatusForbidden:
		at, err := http.ParseTime(resp.Header.Get("Date"))
		return err == nil && endsSoon(token, at.Add(-expirySlack))
	}
	return false
}

// get returns the token, renewed when it is the one that was rejected, or near its end.
func (b *bearer) get(ctx context.Context, rejected string) (string, error) {
	came := time.Now()
	select {
	case b.turn <- struct{}{}:
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	defer func() { <-b.turn }()
	if b.failure != nil && b.failed.After(came) {
		return "", b.failure // who waited for a question that failed after all its repetitions does not ask it again
	}
	if b.token == "" {
		token, err := b.ask(ctx, false)
		if err != nil {
			return "", err
		}
		b.token = token
	}
	stale := b.token == rejected || endsSoon(b.token, time.Now())
	if stale && time.Since(b.renewed) > renewPause {
		token, err := b.ask(ctx, true)
		if err != nil {
			return "", err
		}
		b.token, b.renewed = token, time.Now()
	}
	return b.token, nil
}

func (b *bearer) ask(ctx context.Context, refresh bool) (string, error) {
	token, err := b.source(ctx, refresh)
	b.failure = nil
	if err != nil && ctx.Err() == nil {
		b.failure, b.failed = err, time.Now()
	}
	return token, err
}

// endsSoon reads the end of a token where it is a JSON Web Token (RFC 7519, claim "exp"). Nothing is verified: the
// server does that.
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
