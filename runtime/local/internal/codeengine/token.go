package codeengine

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// tokenLifetime is the validity period of a token, as in IBM Cloud IAM.
const tokenLifetime = time.Hour

// token handles the call that issues a token for an API key. Clients read the expiration time from the token itself.
func (a *api) token(w http.ResponseWriter, r *http.Request) {
	respond := func(status int, code, text string) {
		respondJSON(w, status, map[string]any{"errorCode": code, "errorMessage": text, "context": map[string]string{"requestId": w.Header().Get("X-Transaction-Id")}})
	}
	if r.Method != http.MethodPost || r.URL.Path != "/identity/token" {
		respond(http.StatusNotFound, "BXNIM0100E", "The endpoint supports only POST /identity/token.")
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	if err := r.ParseForm(); err != nil {
		respond(http.StatusBadRequest, "BXNIM0109E", "The form is not valid.")
		return
	}
	if grant := r.PostForm.Get("grant_type"); grant != "urn:ibm:params:oauth:grant-type:apikey" {
		respond(http.StatusBadRequest, "BXNIM0109E", "The grant_type is not supported here: use urn:ibm:params:oauth:grant-type:apikey.")
		return
	}
	if a.APIKey == "" || !hmac.Equal([]byte(r.PostForm.Get("apikey")), []byte(a.APIKey)) {
		respond(http.StatusBadRequest, "BXNIM0415E", "Provided API key could not be found.")
		return
	}
	now := a.Now()
	respondJSON(w, http.StatusOK, map[string]any{
		"access_token": a.newToken(now), "refresh_token": "not_supported", "token_type": "Bearer", "scope": "ibm openid",
		"expires_in": int(tokenLifetime.Seconds()), "expiration": now.Add(tokenLifetime).Unix(),
	})
}

type claims struct {
	IAMID   string `json:"iam_id"`
	Subject string `json:"sub"`
	Issuer  string `json:"iss"`
	Issued  int64  `json:"iat"`
	Expires int64  `json:"exp"`
}

const tokenHead = `{"alg":"HS256","typ":"JWT"}`

// newToken returns a JSON Web Token that is valid from now on.
func (a *api) newToken(now time.Time) string {
	body, _ := json.Marshal(claims{"IBMid-local", "local", "https://" + IAMHost + "/identity", now.Unix(), now.Add(tokenLifetime).Unix()})
	text := base64.RawURLEncoding.EncodeToString([]byte(tokenHead)) + "." + base64.RawURLEncoding.EncodeToString(body)
	return text + "." + a.signature(text)
}

// signature returns the signature of the signed part of a token.
func (a *api) signature(text string) string {
	mac := hmac.New(sha256.New, []byte(a.Token))
	mac.Write([]byte(text))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// isAuthenticated reports whether a request has a valid token that the token call has issued, or the token of the
// endpoint.
func (a *api) isAuthenticated(r *http.Request) bool {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	token = strings.TrimSpace(token)
	if a.Token == "" || !strings.EqualFold(scheme, "Bearer") {
		return false
	}
	if hmac.Equal([]byte(token), []byte(a.Token)) {
		return true
	}
	dot := strings.LastIndexByte(token, '.')
	if dot < 0 || !hmac.Equal([]byte(token[dot+1:]), []byte(a.signature(token[:dot]))) {
		return false
	}
	_, body, _ := strings.Cut(token[:dot], ".")
	data, err := base64.RawURLEncoding.DecodeString(body)
	var c claims
	return err == nil && json.Unmarshal(data, &c) == nil && a.Now().Unix() < c.Expires
}
