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

// adminPrefix is the path prefix of the endpoint's own API. It cannot conflict with a bucket name, because bucket names
// begin with a letter or a digit.
const adminPrefix = "/_fn-runtime/"

// admin serves the two requests that the commands send to the endpoint: health and stop.
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

// health is the response to a health request.
type health struct {
	PID         int   `json:"pid"`
	Activations int   `json:"activations"` // number of running activations
	Load        *Load `json:"load,omitempty"`
}

// adminTimeout is how long a command waits for a response from the endpoint.
const adminTimeout = 5 * time.Second

// adminRequest sends a request to the endpoint that i describes and returns the body of the response. It trusts only
// the endpoint's own CA, so that a program that has taken over the port of a stopped endpoint does not receive the
// token.
func adminRequest(ctx context.Context, i Info, method, operation string) ([]byte, error) {
	ca, err := os.ReadFile(i.CAFile)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(ca) {
		return nil, errors.New("cannot read the CA certificate of the endpoint")
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, DisableKeepAlives: true}
	client := &http.Client{Transport: transport, Timeout: adminTimeout}
	req, err := http.NewRequestWithContext(ctx, method, i.Endpoint+adminPrefix+operation, bytes.NewReader(nil))
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

// probe checks the endpoint that i describes. It runs if it responds and its PID is that of i. It hangs if the process
// exists and accepts connections but does not respond in time. An endpoint that is starting or stopping accepts no
// connections, so it does not count as hanging.
func probe(ctx context.Context, i Info) (runs, hangs bool) {
	if i.PID == 0 || i.Endpoint == "" {
		return false, false
	}
	data, err := adminRequest(ctx, i, http.MethodGet, "health")
	var h health
	if err == nil && json.Unmarshal(data, &h) == nil && h.PID == i.PID {
		return true, false
	}
	var netErr net.Error
	return false, errors.As(err, &netErr) && netErr.Timeout() && ctx.Err() == nil && sameProcess(i)
}
