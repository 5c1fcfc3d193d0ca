package s3

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // the algorithm of this signature
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Signature version 2. boto3 still uses it for presigned URLs if no version is configured:
// https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html

// inSignatureV2 are the query parameters that the signature covers.
var inSignatureV2 = []string{
	"accelerate", "acl", "analytics", "cors", "defaultObjectAcl", "delete", "inventory", "lifecycle", "location", "logging",
	"metrics", "notification", "object-lock", "partNumber", "policy", "replication", "requestPayment",
	"response-cache-control", "response-content-disposition", "response-content-encoding", "response-content-language",
	"response-content-type", "response-expires", "restore", "select", "select-type", "storageClass", "tagging", "torrent",
	"uploadId", "uploads", "versionId", "versioning", "versions", "website",
}

func verifyHeaderV2(r *http.Request, k Keys, now time.Time) *apiError {
	id, given, ok := strings.Cut(strings.TrimPrefix(r.Header.Get("Authorization"), "AWS "), ":")
	if !ok {
		return newError(http.StatusBadRequest, "InvalidArgument", "Authorization header is invalid -- one and only one ' ' (space) required")
	}
	date, signed := r.Header.Get("Date"), r.Header.Get("Date")
	if values, given := r.Header["X-Amz-Date"]; given {
		date, signed = values[0], ""
	}
	at, err := parseDate(date)
	if err != nil || at.Unix() < 0 {
		return newError(http.StatusForbidden, "AccessDenied", "AWS authentication requires a valid Date or x-amz-date header")
	}
	if d := now.Sub(at); d > clockSkew || d < -clockSkew {
		return newError(http.StatusForbidden, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large.")
	}
	return checkV2(r, k, id, given, signed)
}

func verifyQueryV2(r *http.Request, k Keys, now time.Time) *apiError {
	q := r.URL.Query()
	seconds, err := strconv.ParseInt(q.Get("Expires"), 10, 64)
	if err != nil {
		return newError(http.StatusForbidden, "AccessDenied", "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters")
	}
	if now.Unix() > seconds {
		return newError(http.StatusForbidden, "AccessDenied", "Request has expired")
	}
	for name := range q { // a client that presigns a URL puts x-amz-* headers into the query
		if lower := strings.ToLower(name); strings.HasPrefix(lower, "x-amz-") {
			r.Header.Set(lower, q.Get(name))
		}
	}
	return checkV2(r, k, q.Get("AWSAccessKeyId"), q.Get("Signature"), q.Get("Expires"))
}

// checkV2 computes the signature and compares it.
func checkV2(r *http.Request, k Keys, id, given, date string) *apiError {
	var text strings.Builder
	for _, line := range []string{r.Method, r.Header.Get("Content-Md5"), r.Header.Get("Content-Type"), date} {
		text.WriteString(line + "\n")
	}
	names := []string{}
	for name := range r.Header {
		if lower := strings.ToLower(name); strings.HasPrefix(lower, "x-amz-") {
			names = append(names, lower)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		text.WriteString(name + ":" + strings.Join(r.Header.Values(name), ",") + "\n")
	}
	path := r.URL.EscapedPath()
	paths := []string{path}
	if strings.Count(path, "/") == 1 && path != "/" {
		paths = append(paths, path+"/") // boto3 signs "/bucket/" when it requests "/bucket"
	}
	matches := false
	for _, p := range paths {
		h := hmac.New(sha1.New, []byte(k.SecretKey))
		h.Write([]byte(text.String() + p + subresourcesV2(r.URL.Query())))
		matches = matches || hmac.Equal([]byte(given), []byte(base64.StdEncoding.EncodeToString(h.Sum(nil))))
	}
	if !hmac.Equal([]byte(id), []byte(k.AccessKey)) {
		return newError(http.StatusForbidden, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.")
	}
	if !matches {
		return newError(http.StatusForbidden, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided. Check your key and signing method.")
	}
	return nil
}

func subresourcesV2(q url.Values) string {
	out, mark := "", "?"
	for _, name := range inSignatureV2 {
		if q.Has(name) {
			out, mark = out+mark+name, "&"
			if v := q.Get(name); v != "" {
				out += "=" + v
			}
		}
	}
	return out
}
