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

// hider takes secrets out of texts.
type hider struct{ secrets *strings.Replacer }

func newHider(o Options) hider {
	secrets := o.Secrets
	if o.Auth.Basic != "" {
		_, password, _ := strings.Cut(o.Auth.Basic, ":")
		secrets = append(slices.Clip(secrets), o.Auth.Basic, password)
	}
	var forms []string
	for _, s := range secrets {
		if len(s) >= 4 { // shorter ones would tear words apart and protect nothing
			forms = append(forms, written(s)...)
		}
	}
	// The longest first: a secret that another one begins with must not leave the rest of it.
	slices.SortStableFunc(forms, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	pairs := make([]string, 0, 2*len(forms))
	for _, form := range forms {
		pairs = append(pairs, form, hidden)
	}
	return hider{strings.NewReplacer(pairs...)}
}

// written returns the forms in which a text stands in bodies and addresses: as it is, and escaped for JSON (with and
// without what HTML needs), XML, queries and paths.
func written(s string) []string {
	var plain, marked strings.Builder
	e := json.NewEncoder(&plain)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a text has a form in each
	escaped, _ := json.Marshal(s)
	_ = xml.EscapeText(&marked, []byte(s))
	named := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&apos;").Replace(s)
	forms := []string{s, inner(plain.String()), inner(string(escaped)),
		marked.String(), named, url.QueryEscape(s), url.PathEscape(s)}
	slices.Sort(forms)
	return slices.Compact(forms)
}

// hide replaces every secret, and the credentials of the request wherever they were echoed.
func (h hider) hide(text string, req *http.Request) string {
	text = h.secrets.Replace(text)
	if _, credentials, ok := strings.Cut(req.Header.Get("Authorization"), " "); ok && credentials != "" {
		text = strings.ReplaceAll(text, credentials, hidden)
	}
	return text
}

// discreet takes secrets out of refusals, whose texts people get to see: a server may say what it was sent.
type discreet struct {
	next  http.RoundTripper
	hider hider
}

func (d *discreet) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := d.next.RoundTrip(req)
	if err != nil || resp.StatusCode < 400 || resp.Body == nil {
		return resp, err
	}
	said := string(peek(resp))
	if text := d.hider.hide(said, req); text != said {
		resp.Body = replayReader([]byte(text))
		resp.ContentLength = int64(len(text))
		resp.Header.Del("Content-Length")
	}
	return resp, nil
}

// inner takes the quotes of a JSON string off.
func inner(quoted string) string {
	quoted = strings.TrimSuffix(quoted, "\n")
	return quoted[1 : len(quoted)-1]
}
