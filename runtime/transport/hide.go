package transport

import (
	"net/http"
	"net/url"
	"strings"
)

// hider takes secrets out of texts.
type hider struct{ secrets *strings.Replacer }

func newHider(o Options) hider {
	secrets := o.Secrets
	if o.Auth.Basic != "" {
		_, password, _ := strings.Cut(o.Auth.Basic, ":")
		secrets = append(secrets[:len(secrets):len(secrets)], o.Auth.Basic, password)
	}
	var pairs []string
	for _, s := range secrets {
		if len(s) >= 4 { // shorter ones would tear words apart and protect nothing
			pairs = append(pairs, s, hidden, url.QueryEscape(s), hidden)
		}
	}
	return hider{strings.NewReplacer(pairs...)}
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
