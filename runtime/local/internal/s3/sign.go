package s3

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Signature version 4 as S3 uses it:
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html

const (
	algorithm  = "AWS4-HMAC-SHA256"
	timeFormat = "20060102T150405Z"
	clockSkew  = 15 * time.Minute
	maxPresign = 7 * 24 * time.Hour
)

// Keys holds the access key and the bearer token of the endpoint.
type Keys struct {
	AccessKey string
	SecretKey string
	Token     string // accepted only on TLS connections; empty for none
}

// signature is the verified signature of a request.
type signature struct {
	key   []byte // signing key of the day
	date  string
	scope string
	value string // signature of the request, and seed of the signatures of its chunks
}

// region returns the region that a request is signed for. Without a signature of version 4, it is the default of S3.
func (s *signature) region() string {
	if s == nil {
		return defaultRegion
	}
	return strings.Split(s.scope, "/")[1]
}

// authenticate verifies the signature or the token of a request. The returned signature is nil for a bearer token and
// for signature version 2.
func authenticate(r *http.Request, k Keys, now time.Time) (*signature, *apiError) {
	if scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		if k.Token == "" || r.TLS == nil || !hmac.Equal([]byte(strings.TrimSpace(token)), []byte(k.Token)) {
			return nil, newError(http.StatusForbidden, "AccessDenied", "Access Denied.")
		}
		return nil, nil
	}
	switch q := r.URL.Query(); {
	case strings.HasPrefix(r.Header.Get("Authorization"), "AWS "):
		return nil, verifyHeaderV2(r, k, now)
	case r.Header.Get("Authorization") != "":
		return verifyHeader(r, k, now)
	case q.Has("X-Amz-Signature"):
		return verifyQuery(r, k, now)
	case q.Has("Signature"):
		return nil, verifyQueryV2(r, k, now)
	}
	return nil, newError(http.StatusForbidden, "AccessDenied", "Access Denied.")
}

func verifyHeader(r *http.Request, k Keys, now time.Time) (*signature, *apiError) {
	malformed := newError(http.StatusBadRequest, "AuthorizationHeaderMalformed", "The authorization header that you provided is not valid.")
	rest, ok := strings.CutPrefix(r.Header.Get("Authorization"), algorithm)
	if !ok {
		return nil, malformed
	}
	fields := map[string]string{}
	for part := range strings.SplitSeq(rest, ",") {
		name, value, ok := strings.Cut(strings.TrimSpace(part), "=")
		if !ok {
			return nil, malformed
		}
		fields[name] = value
	}
	date := r.Header.Get("X-Amz-Date")
	if at, err := parseDate(r.Header.Get("Date")); err == nil && date == "" {
		date = at.UTC().Format(timeFormat)
	}
	at, err := time.Parse(timeFormat, date)
	if err != nil {
		return nil, malformed
	}
	if d := now.Sub(at); d > clockSkew || d < -clockSkew {
		return nil, newError(http.StatusForbidden, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large.")
	}
	payload := r.Header.Get("X-Amz-Content-Sha256")
	if payload == "" {
		return nil, newError(http.StatusBadRequest, "InvalidRequest", "Missing required header for this request: x-amz-content-sha256")
	}
	return check(r, k, date, fields["Credential"], fields["SignedHeaders"], fields["Signature"], payload, r.URL.Query())
}

// parseDate parses a Date header. botocore writes it with a numeric time zone.
func parseDate(date string) (time.Time, error) {
	at, err := http.ParseTime(date)
	if err != nil {
		at, err = time.Parse(time.RFC1123Z, date)
	}
	return at, err
}

func verifyQuery(r *http.Request, k Keys, now time.Time) (*signature, *apiError) {
	q := r.URL.Query()
	date := q.Get("X-Amz-Date")
	at, err := time.Parse(timeFormat, date)
	seconds, err2 := strconv.Atoi(q.Get("X-Amz-Expires"))
	lifetime := time.Duration(seconds) * time.Second
	if err != nil || err2 != nil || q.Get("X-Amz-Algorithm") != algorithm || seconds < 0 || seconds > int(maxPresign/time.Second) {
		return nil, newError(http.StatusBadRequest, "AuthorizationQueryParametersError", "Query-string authentication parameters are missing or not valid.")
	}
	if now.After(at.Add(lifetime)) || at.Sub(now) > clockSkew {
		return nil, newError(http.StatusForbidden, "AccessDenied", "Request has expired")
	}
	given := q.Get("X-Amz-Signature")
	q.Del("X-Amz-Signature")
	payload := "UNSIGNED-PAYLOAD"
	if p := r.Header.Get("X-Amz-Content-Sha256"); p != "" {
		payload = p
	}
	return check(r, k, date, q.Get("X-Amz-Credential"), q.Get("X-Amz-SignedHeaders"), given, payload, q)
}

// copyQueryHeaders copies the x-amz-* query parameters of a presigned URL to the headers, because some clients put
// headers into the query. The signature covers the query.
func copyQueryHeaders(q url.Values, h http.Header) {
	if !q.Has("X-Amz-Signature") {
		return
	}
	for name, values := range q {
		lower := strings.ToLower(name)
		if strings.HasPrefix(lower, "x-amz-") && !slices.Contains(signatureParameters, lower) && h.Get(lower) == "" {
			h[http.CanonicalHeaderKey(name)] = values
		}
	}
}

// signatureParameters are the query parameters of the signature itself.
var signatureParameters = []string{"x-amz-algorithm", "x-amz-content-sha256", "x-amz-credential", "x-amz-date", "x-amz-expires", "x-amz-security-token", "x-amz-signature", "x-amz-signedheaders"}

// check computes the signature and compares it. A wrong key ID and a wrong signature take the same time.
func check(r *http.Request, k Keys, date, credential, signed, given, payload string, query url.Values) (*signature, *apiError) {
	id, scope, _ := strings.Cut(credential, "/")
	parts := strings.Split(scope, "/") // 20260102/region/s3/aws4_request
	if len(parts) != 4 || parts[2] != "s3" || parts[3] != "aws4_request" || !strings.HasPrefix(date, parts[0]) || len(parts[0]) != 8 {
		return nil, newError(http.StatusBadRequest, "AuthorizationHeaderMalformed", "The credential scope is not valid.")
	}
	headers := strings.Split(signed, ";")
	if !slices.Contains(headers, "host") {
		return nil, newError(http.StatusForbidden, "AccessDenied", "The host header must be signed.")
	}
	for name := range r.Header { // an attacker must not be able to add headers that change the operation
		if lower := strings.ToLower(name); strings.HasPrefix(lower, "x-amz-") && !slices.Contains(headers, lower) {
			return nil, newError(http.StatusForbidden, "AccessDenied", "There were headers present in the request which were not signed.")
		}
	}
	canonical := strings.Join([]string{
		r.Method, uriEncode(r.URL.Path, true), canonicalQuery(query), canonicalHeaders(r, headers), signed, payload,
	}, "\n")
	key := []byte("AWS4" + k.SecretKey)
	for _, p := range parts {
		key = sign(key, p)
	}
	s := &signature{key: key, date: date, scope: scope}
	s.value = s.sign(algorithm, sha256Hex(canonical))
	if !hmac.Equal([]byte(id), []byte(k.AccessKey)) {
		return nil, newError(http.StatusForbidden, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.")
	}
	if !hmac.Equal([]byte(given), []byte(s.value)) {
		return nil, newError(http.StatusForbidden, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided. Check your key and signing method.")
	}
	return s, nil
}

// sign returns the signature of the lines, with the date and scope of s.
func (s *signature) sign(kind string, lines ...string) string {
	text := strings.Join(append([]string{kind, s.date, s.scope}, lines...), "\n")
	return hex.EncodeToString(sign(s.key, text))
}

func canonicalQuery(q url.Values) string {
	pairs := [][2]string{} // sorted by name first: in the joined text, '-' would sort before '='
	for name, values := range q {
		for _, v := range values {
			pairs = append(pairs, [2]string{uriEncode(name, false), uriEncode(v, false)})
		}
	}
	slices.SortFunc(pairs, func(a, b [2]string) int { return slices.Compare(a[:], b[:]) })
	joined := make([]string, len(pairs))
	for i, p := range pairs {
		joined[i] = p[0] + "=" + p[1]
	}
	return strings.Join(joined, "&")
}

func canonicalHeaders(r *http.Request, names []string) string {
	var b strings.Builder
	for _, name := range names {
		values := r.Header.Values(name)
		switch name {
		case "host":
			values = []string{r.Host}
		case "content-length":
			values = []string{strconv.FormatInt(r.ContentLength, 10)}
		case "transfer-encoding":
			values = r.TransferEncoding
		}
		b.WriteString(name + ":")
		for i, v := range values {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(strings.Join(strings.Fields(v), " "))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// uriEncode percent-encodes all but unreserved characters. Signatures require this form, regardless of the encoding
// that the client sent.
func uriEncode(s string, path bool) string {
	const hexDigits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		switch {
		case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9', strings.IndexByte("-._~", c) >= 0, path && c == '/':
			b.WriteByte(c)
		default:
			b.Write([]byte{'%', hexDigits[c>>4], hexDigits[c&15]})
		}
	}
	return b.String()
}

func sign(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func sha256Hex(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
