package transport

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/text"
)

// DefaultIAM is the endpoint of the IBM Cloud identity service.
const DefaultIAM = "https://iam.cloud.ibm.com"

// APIKeyToken returns a TokenFunc that exchanges an IBM Cloud API key for access tokens at the identity service (POST
// /identity/token) and caches each token until shortly before it expires. rt must not add credentials itself.
func APIKeyToken(endpoint, apiKey string, rt http.RoundTripper) TokenFunc {
	var mu sync.Mutex
	var token string
	var expires, failedAt time.Time
	var lastErr error
	return func(ctx context.Context, refresh bool) (string, error) {
		start := time.Now()
		mu.Lock()
		defer mu.Unlock()
		if lastErr != nil && failedAt.After(start) {
			return "", lastErr // the exchange failed, after all its retries, while this caller was waiting, so it is not repeated
		}
		if !refresh && token != "" && time.Until(expires) > expirySlack {
			return token, nil
		}
		t, e, err := exchange(ctx, endpoint, apiKey, rt)
		if err != nil {
			if ctx.Err() == nil {
				lastErr, failedAt = err, time.Now()
			}
			return "", err
		}
		token, expires, lastErr = t, e, nil
		return token, nil
	}
}

func exchange(ctx context.Context, endpoint, apiKey string, rt http.RoundTripper) (string, time.Time, error) {
	form := url.Values{"grant_type": {"urn:ibm:params:oauth:grant-type:apikey"}, "apikey": {apiKey}}
	target := strings.TrimRight(endpoint, "/") + "/identity/token"
	ctx = With(ctx, Call{Repeatable: true})
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, strings.NewReader(form.Encode()))
	if err != nil {
		return "", time.Time{}, fault.New(fault.Invalid,
			i18n.M("The IAM endpoint {{.Endpoint}} is not a URL.", "Endpoint", ShownURL(endpoint)),
			i18n.M("Specify it as https://HOST[:PORT]."))
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	resp, err := rt.RoundTrip(req)
	if err != nil {
		return "", time.Time{}, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return "", time.Time{}, err
	}
	var body struct {
		AccessToken  string  `json:"access_token"`
		Expiration   float64 `json:"expiration"`
		ErrorMessage string  `json:"errorMessage"`
	}
	err = json.Unmarshal(data, &body)
	switch {
	case resp.StatusCode == http.StatusBadRequest, resp.StatusCode == http.StatusUnauthorized, resp.StatusCode == http.StatusForbidden:
		return "", time.Time{}, fault.New(fault.Denied,
			i18n.M("IBM Cloud does not accept the API key: {{.Reason}}", "Reason", text.Line(body.ErrorMessage, 300)),
			i18n.M("Check the API key in the Lithops configuration, or create one with 'ibmcloud iam api-key-create NAME'."))
	case resp.StatusCode >= 300 || err != nil || body.AccessToken == "":
		kind := KindOfStatus(max(resp.StatusCode, 300))
		if kind == fault.NotFound || kind == fault.Conflict {
			// Callers would mistake these kinds for the result of their own request, such as a missing bucket.
			kind = fault.Unavailable
		}
		return "", time.Time{}, fault.New(kind,
			i18n.M("{{.URL}} did not return an access token (HTTP status {{.Status}}).", "URL", baseURL(req.URL), "Status", resp.StatusCode),
			i18n.M("Try again later."))
	}
	return body.AccessToken, time.Unix(int64(body.Expiration), 0), nil
}
