package local

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

// adminPrefix is no possible bucket name: those begin with a letter or a number.
const adminPrefix = "/_fn-runtime/"

// admin answers the two questions of the commands: who are you, and stop.
type admin struct{ *endpoint }

// Admits reports whether a request has the endpoint's token.
func (e admin) Admits(r *http.Request) bool {
	return hmac.Equal([]byte(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")), []byte(e.info.Token))
}

func (e admin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !e.Admits(r) {
		http.Error(w, "The supplied authentication is invalid.", http.StatusUnauthorized)
		return
	}
	switch {
	case r.Method == http.MethodGet && r.URL.Path == adminPrefix+"health":
		w.Header().Set("Content-Type", "application/json")
		h := health{PID: e.info.PID, Activations: e.running()}
		if e.load != nil {
			load := e.load.Load()
			h.Load = &load
		}
		_ = json.NewEncoder(w).Encode(h)
	case r.Method == http.MethodPost && r.URL.Path == adminPrefix+"stop":
		w.WriteHeader(http.StatusAccepted)
		select {
		case e.stop <- struct{}{}:
		default:
		}
	default:
		http.NotFound(w, r)
	}
}

type health struct {
	PID         int   `json:"pid"`
	Activations int   `json:"activations"` // running
	Load        *Load `json:"load,omitempty"`
}

// answerTimeout is how long a command waits for the endpoint to say that it runs.
const answerTimeout = 5 * time.Second

// ask sends one request to the endpoint that i describes. It trusts the endpoint's own authority alone, so that
// whoever has taken the port of an ended endpoint learns nothing.
func ask(ctx context.Context, i Info, method, what string) ([]byte, error) {
	ca, err := os.ReadFile(i.CAFile)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(ca) {
		return nil, errors.New("cannot read the CA certificate of the endpoint")
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, DisableKeepAlives: true}
	client := &http.Client{Transport: transport, Timeout: answerTimeout}
	req, err := http.NewRequestWithContext(ctx, method, i.Endpoint+adminPrefix+what, bytes.NewReader(nil))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+i.Token)
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, 1<<16))
	if err == nil && resp.StatusCode >= 300 {
		err = errors.New("the endpoint returned status " + resp.Status)
	}
	return data, err
}

// alive reports whether the endpoint that i describes answers, and is that process. It hangs when it is that process
// that takes connections and does not answer: one that starts or ends takes none.
func alive(ctx context.Context, i Info) (runs, hangs bool) {
	if i.PID == 0 || i.Endpoint == "" {
		return false, false
	}
	data, err := ask(ctx, i, http.MethodGet, "health")
	var h health
	if err == nil && json.Unmarshal(data, &h) == nil && h.PID == i.PID {
		return true, false
	}
	var late net.Error
	return false, errors.As(err, &late) && late.Timeout() && ctx.Err() == nil && same(i)
}
