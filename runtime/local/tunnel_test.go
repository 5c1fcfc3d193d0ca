package local

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"fn-runtime/runtime/local/internal/codeengine"
	"fn-runtime/runtime/local/invoke"
	"fn-runtime/runtime/runtimetest"
)

// startInProcess runs an endpoint in this process until the test ends.
func startInProcess(t *testing.T, invoker func(context.Context, InvokerSetup) (invoke.Invoker, error)) Info {
	t.Helper()
	o := options(t)
	o.NewInvoker = invoker
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, o) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	var i Info
	runtimetest.Eventually(t, "the endpoint runs", func() (running bool) {
		var err error
		i, err = Status(ctx, o.Dir)
		return err == nil && i.Running
	})
	return i
}

// bundle returns the CAs of a bundle file.
func (i Info) bundle(t *testing.T, path string) *x509.CertPool {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(text)
	return pool
}

// The proxy accepts connections only to the API's hosts and only with its credentials.
func TestProxyAcceptsOnlyCloudHosts(t *testing.T) {
	i := startInProcess(t, echo)
	address := fmt.Sprintf("127.0.0.1:%d", i.ProxyPort)
	right := "Basic " + base64.StdEncoding.EncodeToString([]byte("fn-runtime:"+i.ProxySecret))
	wrong := "Basic " + base64.StdEncoding.EncodeToString([]byte("fn-runtime:"+i.ProxySecret+"x"))
	for _, c := range []struct {
		name, line, auth string
		want             int
	}{
		{"without credentials", "CONNECT iam.cloud.ibm.com:443", "", 407},
		{"with wrong credentials", "CONNECT iam.cloud.ibm.com:443", wrong, 407},
		{"other host without credentials", "CONNECT pypi.org:443", "", 407},
		{"host of the token API", "CONNECT iam.cloud.ibm.com:443", right, 200},
		{"host of a region", "CONNECT api.eu-de.codeengine.cloud.ibm.com:443", right, 200},
		{"host in mixed case", "CONNECT API.eu-de.CodeEngine.cloud.ibm.com:443", right, 200},
		{"unknown region", "CONNECT api.mars.codeengine.cloud.ibm.com:443", right, 403},
		{"host of the old API", "CONNECT proxy.eu-de.codeengine.cloud.ibm.com:443", right, 403},
		{"other host", "CONNECT pypi.org:443", right, 403},
		{"this machine", fmt.Sprintf("CONNECT 127.0.0.1:%d", i.Port), right, 403},
		{"another port", "CONNECT iam.cloud.ibm.com:22", right, 403},
		{"without TLS", "GET http://iam.cloud.ibm.com/", right, 403},
		{"name with a suffix", "CONNECT iam.cloud.ibm.com.evil.example:443", right, 403},
	} {
		t.Run(c.name, func(t *testing.T) {
			conn, err := net.Dial("tcp4", address)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			_, target, _ := strings.Cut(c.line, " ")
			if u, err := url.Parse(target); err == nil && u.Scheme == "http" {
				target = u.Host
			}
			text := c.line + " HTTP/1.1\r\nHost: " + target + "\r\n"
			if c.auth != "" {
				text += "Proxy-Authorization: " + c.auth + "\r\n"
			}
			if _, err := io.WriteString(conn, text+"\r\n"); err != nil {
				t.Fatal(err)
			}
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			if resp.StatusCode != c.want {
				t.Errorf("%s: got %s, want %d", c.line, resp.Status, c.want)
			}
		})
	}
}

// Through the proxy, a client reaches the Code Engine API at IBM's host names. Only the CloudBundle verifies its
// certificate.
func TestProxyServesCodeEngineAPI(t *testing.T) {
	i := startInProcess(t, echo)
	proxy, err := url.Parse(i.Proxy())
	if err != nil {
		t.Fatal(err)
	}
	client := func(bundle string) *http.Client {
		return &http.Client{Timeout: time.Minute, Transport: &http.Transport{
			Proxy: http.ProxyURL(proxy), TLSClientConfig: &tls.Config{RootCAs: i.bundle(t, bundle)}, DisableKeepAlives: true}}
	}
	resp, err := client(i.CloudBundle).PostForm("https://"+codeengine.IAMHost+"/identity/token",
		url.Values{"grant_type": {"urn:ibm:params:oauth:grant-type:apikey"}, "apikey": {i.APIKey}})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusOK || !strings.Contains(string(body), "access_token") {
		t.Errorf("token request: got %s: %s", resp.Status, body)
	}
	for _, host := range codeengine.Hosts()[1:] {
		resp, err := client(i.CloudBundle).Get("https://" + host + "/v2/projects")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s: got %s for a request without token, want 401", host, resp.Status)
		}
	}
	if resp, err := client(i.CABundle).Get("https://" + codeengine.IAMHost); err == nil {
		resp.Body.Close()
		t.Error("CABundle verifies the certificate for IBM's host names")
	}
	direct := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: i.bundle(t, i.CABundle)}}}
	req, err := http.NewRequest(http.MethodGet, i.Endpoint+"/v2/projects", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host, req.Header = "api.eu-de.codeengine.cloud.ibm.com", http.Header{"Authorization": {"Bearer " + i.Token}}
	if resp, err = direct.Do(req); err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("request for the API's host name without the proxy: got %s, want 421", resp.Status)
	}
}
