package transport

import (
	"cmp"
	"encoding/json"
	"encoding/xml"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// redactor removes secrets from texts.
type redactor struct{ secrets *strings.Replacer }

func newRedactor(o Options) redactor {
	secrets := o.Secrets
	if o.Auth.Basic != "" {
		_, password, _ := strings.Cut(o.Auth.Basic, ":")
		secrets = append(slices.Clip(secrets), o.Auth.Basic, password)
	}
	var forms []string
	for _, s := range secrets {
		if len(s) >= 4 { // shorter ones would mangle words without protecting anything
			forms = append(forms, encodings(s)...)
		}
	}
	// Longest first: if one secret is a prefix of another, replacing the shorter one first would leave the rest of the
	// longer one.
	slices.SortStableFunc(forms, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	pairs := make([]string, 0, 2*len(forms))
	for _, form := range forms {
		pairs = append(pairs, form, hidden)
	}
	return redactor{strings.NewReplacer(pairs...)}
}

// encodings returns the forms that a text can have in bodies and URLs: verbatim, and escaped for JSON (with and without
// HTML escaping), XML, queries and paths.
func encodings(s string) []string {
	var plain, marked strings.Builder
	e := json.NewEncoder(&plain)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // encoding a string cannot fail
	escaped, _ := json.Marshal(s)
	_ = xml.EscapeText(&marked, []byte(s))
	named := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&apos;").Replace(s)
	forms := []string{s, unquote(plain.String()), unquote(string(escaped)),
		marked.String(), named, url.QueryEscape(s), url.PathEscape(s)}
	slices.Sort(forms)
	return slices.Compact(forms)
}

// redact replaces every secret, and the credentials of the request if the server echoed them.
func (h redactor) redact(text string, req *http.Request) string {
	text = h.secrets.Replace(text)
	if _, credentials, ok := strings.Cut(req.Header.Get("Authorization"), " "); ok && credentials != "" {
		text = strings.ReplaceAll(text, credentials, hidden)
	}
	return text
}

// redactErrors removes secrets from error responses because users see their texts, and a server may echo what it
// received.
type redactErrors struct {
	next     http.RoundTripper
	redactor redactor
}

func (d *redactErrors) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := d.next.RoundTrip(req)
	if err != nil || resp.StatusCode < 400 || resp.Body == nil {
		return resp, err
	}
	body := string(peek(resp))
	if text := d.redactor.redact(body, req); text != body {
		resp.Body = replayReader([]byte(text))
		resp.ContentLength = int64(len(text))
		resp.Header.Del("Content-Length")
	}
	return resp, nil
}

// unquote removes the quotes of a JSON string.
func unquote(quoted string) string {
	quoted = strings.TrimSuffix(quoted, "\n")
	return quoted[1 : len(quoted)-1]
}
